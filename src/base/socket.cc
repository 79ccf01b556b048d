// Addresses to connected sockets, and bytes on them to messages, over POSIX calls.
#include "base/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>

namespace mutatenn {
namespace {

constexpr int kLargestPort = 65535;

int Milliseconds(double seconds) {
  return seconds < 0 ? -1 : static_cast<int>(std::min(std::ceil(seconds * 1000), 1e9));
}

// kTimeout unless `fd` became ready for `events`.
Status Await(int fd, short events, double timeout_s) {
  pollfd waiting{fd, events, 0};
  while (true) {
    int n = ::poll(&waiting, 1, Milliseconds(timeout_s));
    if (n > 0) return Ok();
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) return Fail(Code::kTimeout, "the other end does not answer");
    return Fail(Code::kUnavailable, "poll: ", std::strerror(errno));
  }
}

// A line that carries nothing, or a machine that lost its power, is an error within a minute.
void Configure(int fd) {
  auto set = [fd](int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 6);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 45'000);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> Resolve(const Address& address, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  int problem =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (problem != 0) return Fail(Code::kUnavailable, address.Text(), ": ", ::gai_strerror(problem));
  return Addresses(found);
}

}  // namespace

std::string Address::Text() const {
  bool six = host.find(':') != std::string::npos;
  return "tcp://" + (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> ParseAddress(const std::string& text) {
  auto wrong = [&](const char* what) {
    return Fail(Code::kInvalidInput, "'", text, "': ", what, "; say tcp://HOST:PORT");
  };
  std::string rest = text.starts_with("tcp://") ? text.substr(6) : text;
  if (rest.find("//") != std::string::npos) return wrong("only tcp:// is known");
  Address address;
  size_t colon = rest.rfind(':');
  if (rest.starts_with("[")) {
    size_t end = rest.find(']');
    if (end == std::string::npos || end + 1 != colon) return wrong("has no port");
    address.host = rest.substr(1, end - 1);
  } else {
    if (colon == std::string::npos) return wrong("has no port");
    address.host = rest.substr(0, colon);
    if (address.host.find(':') != std::string::npos) return wrong("an IPv6 address needs [ ]");
  }
  std::string port = rest.substr(colon + 1);
  if (address.host.empty()) return wrong("has no host");
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos)
    return wrong("has no port");
  address.port = std::stoi(port);
  if (address.port > kLargestPort) return wrong("has no such port");
  return address;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Status Socket::Send(std::string_view bytes, double timeout_s) const {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      TRY(Await(fd_, POLLOUT, timeout_s));
      continue;
    }
    if (n <= 0) return Fail(Code::kUnavailable, "the connection broke: ", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return Ok();
}

Status Socket::Receive(void* bytes, size_t size, double timeout_s) const {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    TRY(Await(fd_, POLLIN, timeout_s));
    ssize_t n = ::recv(fd_, at, size, MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (n == 0) return Fail(Code::kUnavailable, "the other end closed the connection");
    if (n < 0) return Fail(Code::kUnavailable, "the connection broke: ", std::strerror(errno));
    at += n;
    size -= static_cast<size_t>(n);
  }
  return Ok();
}

Status Socket::SendMessage(const Json& message, double timeout_s) const {
  std::string text = DumpJson(message);
  uint32_t size = static_cast<uint32_t>(text.size());
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return Send(bytes + text, timeout_s);
}

Result<Json> Socket::ReceiveMessage(double timeout_s, int64_t most) const {
  uint32_t size = 0;
  TRY(Receive(&size, sizeof size, timeout_s));
  if (size > most)
    return Fail(Code::kInvalidInput, "a message of ", std::to_string(size), " bytes");
  std::string text(size, '\0');
  TRY(Receive(text.data(), size, timeout_s));
  return ParseJson(text, "a message");
}

bool Socket::Readable(double timeout_s) const { return Await(fd_, POLLIN, timeout_s).ok(); }

Result<Socket> ConnectTcp(const Address& address, double timeout_s) {
  Addresses found = TRY(Resolve(address, 0));
  std::string problem;
  for (addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.open()) continue;
    int error = 0;
    if (::connect(socket.fd(), at->ai_addr, at->ai_addrlen) != 0) {
      error = errno;
      if (error == EINPROGRESS) {
        Status status = Await(socket.fd(), POLLOUT, timeout_s);
        socklen_t size = sizeof error;
        ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (!status.ok()) error = ETIMEDOUT;
      }
    }
    if (error == 0) {
      Configure(socket.fd());
      return socket;
    }
    problem = std::strerror(error);
  }
  return Fail(Code::kUnavailable, "cannot reach ", address.Text(), ": ", problem);
}

Result<Socket> ListenTcp(const Address& address) {
  Addresses found = TRY(Resolve(address, AI_PASSIVE));
  std::string problem;
  for (addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int on = 1;
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (socket.open() && ::bind(socket.fd(), at->ai_addr, at->ai_addrlen) == 0 &&
        ::listen(socket.fd(), 64) == 0)
      return socket;
    problem = std::strerror(errno);
  }
  return Fail(Code::kUnavailable, "cannot listen on ", address.Text(), ": ", problem);
}

Result<Socket> Accept(const Socket& listener) {
  Socket socket(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket.open()) return Fail(Code::kUnavailable, "accept: ", std::strerror(errno));
  Configure(socket.fd());
  return socket;
}

Result<int> PortOf(const Socket& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return Fail(Code::kInternal, "getsockname: ", std::strerror(errno));
  bool six = address.ss_family == AF_INET6;
  return static_cast<int>(ntohs(six ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                    : reinterpret_cast<sockaddr_in&>(address).sin_port));
}

}  // namespace mutatenn
