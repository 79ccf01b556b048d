// A session with TVM's own RPC server (`python -m tvm.exec.rpc_server`), which knows nothing of
// ours: a small library is uploaded and loaded there (src/upload), it starts the worker that is
// uploaded next, and from then on calls go to that worker. That server serves one session at a
// time, and none any more after a session whose process died.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "device/relay.h"
#include "tvm/runtime.h"

namespace mutatenn {

struct TvmServerOptions {
  std::string machine;  // instruction set that kernels are compiled for; "" = this machine's
  std::string kind;     // of kernels: "llvm", "cuda"...
  std::string worker;   // folder of a worker for that machine; "" = this program's own
  std::string cache;    // folder for files on the server; "" = ~/.cache/mutatenn-worker
};

class TvmServer {
 public:
  // Both outlive this; `timeout_s` for one file.
  TvmServer(const TvmServerOptions& options, RemoteSession& remote, Relay& relay, double timeout_s)
      : options_(options), remote_(remote), relay_(relay), timeout_s_(timeout_s) {}

  // Brings the worker there, starts it, and returns the folder of files there. kUnsupported: the
  // server's instruction set is another, or unknown to us.
  Result<std::string> Begin();
  // As wire.h's, but over the session itself.
  Status SendFiles(const std::vector<std::string>& names,
                   const std::function<Result<std::string>(size_t)>& read, int64_t* bytes_sent);

 private:
  Status CheckMachine();
  Status Upload(const std::string& name, const std::string& bytes);
  Result<Json> Call(const std::string& function, const Json& argument);
  template <class F>
  auto Timed(F&& call) -> decltype(call());

  const TvmServerOptions options_;
  RemoteSession& remote_;
  Relay& relay_;
  const double timeout_s_;
};

}  // namespace mutatenn
