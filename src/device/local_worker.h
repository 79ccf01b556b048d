// A worker process of ours on this machine and TVM's RPC to it: fork and exec, its key and port
// over the child's socket, then loopback TCP.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/process.h"
#include "tvm/runtime.h"

namespace mutatenn {

class LocalWorker {
 public:
  // `program`: path of mutatenn-worker. kUnavailable: it does not start, in its own words.
  static Result<std::unique_ptr<LocalWorker>> Start(
      const std::string& program, const std::map<std::string, std::string>& environment);
  ~LocalWorker();
  // As RemoteSession's; kUnavailable says how the worker ended, and says so from then on.
  Result<std::string> Call(const std::string& function, const std::string& argument);

 private:
  LocalWorker() = default;
  std::string Epitaph(const std::string& symptom);

  std::unique_ptr<Process> process_;
  std::unique_ptr<RemoteSession> remote_;
  std::string gone_;  // not empty: every call fails with this
};

}  // namespace mutatenn
