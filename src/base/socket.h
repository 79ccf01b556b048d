// TCP between machines: addresses, a socket that closes itself, whole messages with a time limit.
// A message is [4 bytes, little endian: size][JSON]; raw bytes may follow where both ends know it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct Address {
  std::string host;
  int port = 0;
  std::string Text() const;  // "tcp://host:port"
};
// "tcp://board:9090", "board:9090", "tcp://[::1]:9090". kInvalidInput says what is wrong with it.
Result<Address> ParseAddress(const std::string& text);
// Whether only programs of this machine reach it: 127.0.0.0/8, ::1, localhost.
bool IsLoopback(const std::string& host);

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.Release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

  // Each waits at most timeout_s for progress (< 0 = for ever): kTimeout. A peer that is gone is
  // kUnavailable, never SIGPIPE.
  Status Send(std::string_view bytes, double timeout_s) const;
  Status Receive(void* bytes, size_t size, double timeout_s) const;
  Status SendMessage(const Json& message, double timeout_s) const;
  // kInvalidInput: more than `most` bytes, or not JSON.
  Result<Json> ReceiveMessage(double timeout_s, int64_t most = 64 << 20) const;
  // Waits until something can be read: false after timeout_s.
  bool Readable(double timeout_s) const;

 private:
  int fd_ = -1;
};

// Without delay for small messages; a dead line is noticed within a minute (keep-alive).
Result<Socket> ConnectTcp(const Address& address, double timeout_s);
Result<Socket> ListenTcp(const Address& address);
Result<Socket> Accept(const Socket& listener);  // kUnavailable: the peer left again
Result<int> PortOf(const Socket& listener);

}  // namespace mutatenn
