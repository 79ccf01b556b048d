// Carries bytes between TVM's RPC client, which insists on a connection of its own making, and a
// connection that we made, greeted and can give up on: a call without an answer ends at its
// deadline, and a dead line within a minute, where TVM would wait for ever.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/socket.h"

namespace mutatenn {

class Relay {
 public:
  // Takes the connection and listens on loopback for one client. With a key the client's handshake
  // is answered here, where it knows the key; the other end hears nothing of it.
  static Result<std::unique_ptr<Relay>> Start(Socket remote, std::string key = "");
  ~Relay();
  // Ends both connections; whoever waits for an answer waits no more.
  void Close();
  int port() const { return port_; }
  // Ends both connections unless it is called again within `seconds`; <= 0: no deadline.
  void SetDeadline(double seconds);
  // Why it ended, once it has: "" otherwise.
  std::string problem() const;

 private:
  Relay(Socket remote, Socket listener, int port, std::string key);
  void Run();
  Status Pump(const Socket& local);
  int MillisecondsLeft() const;

  Socket remote_, listener_;
  int port_ = 0, wake_ = -1;
  const std::string key_;
  std::atomic<double> deadline_s_ = 0;  // on SecondsNow's clock; 0 = none
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::string problem_;
  std::thread thread_;
};

}  // namespace mutatenn
