// A device that is one or several `mutatenn-worker serve`, by address or from TVM's tracker. Each
// server has a thread that takes mutants from one queue. A lost connection is made again after a
// growing pause, the program is loaded again, and what was under way goes back into the queue; a
// mutant that was under way at two losses is handed back as a tool error (the campaign runs it once
// more, alone). A server that fails `tries` times in a row is quarantined; the others go on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/socket.h"
#include "device/session.h"
#include "device/tvm_server.h"

namespace mutatenn {

struct FarmOptions {
  std::vector<Address> servers;  // or:
  std::optional<Address> tracker;
  std::string key;                                  // there, or of TVM's own servers
  std::optional<TvmServerOptions> tvm_server = {};  // the servers are TVM's own
  int count = 0;  // servers to take from the tracker; 0 = as many as are registered
  std::string secret;
  double timeout_s = 600;      // for an answer, beyond what a call may wait by itself
  std::string recover;         // shell command, run before a lost server is tried again
  int tries = 3;               // failures in a row, then quarantine
  double pause_s = 1;          // after the first failure; twice as long after each further one
  double tracker_wait_s = 20;  // for a free server
};

// kUnavailable where the tracker is not there or knows no server of the key. Servers are reached by
// Load and later.
Result<std::unique_ptr<Session>> OpenFarm(const FarmOptions& options);

}  // namespace mutatenn
