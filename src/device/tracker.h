// A client of TVM's official tracker (`python -m tvm.exec.rpc_tracker`): servers offer themselves
// under a key there, clients ask for one that is free.
#pragma once

#include <functional>
#include <string>

#include "base/socket.h"

namespace mutatenn {

class Tracker {
 public:
  struct Server {
    Address address;
    std::string match_key;  // good for one session
  };

  static Result<Tracker> Connect(const Address& address);

  // Offers a server for one session; `host` "" = the address that the tracker sees us at.
  Status Offer(const std::string& key, const std::string& host, int port,
               const std::string& match_key);
  // What its summary shows of us.
  Status Describe(const std::string& key, const std::string& host, int port);
  // Whether nobody has taken our offer yet.
  Result<bool> IsOffered(const std::string& match_key);
  // A free server, waiting for one at most wait_s (kTimeout; the connection is of no use then).
  // `stop` is asked in between.
  Result<Server> Request(const std::string& key, double wait_s, const std::function<bool()>& stop);
  // How many servers have registered under the key, free or not.
  Result<int> Count(const std::string& key);
  int fd() const { return socket_.fd(); }

 private:
  explicit Tracker(Socket socket) : socket_(std::move(socket)) {}
  Result<Json> Ask(const Json& question);
  Status AskForNothing(const Json& question);

  Socket socket_;
};

}  // namespace mutatenn
