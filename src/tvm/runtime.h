// The part of TVM that runs without its compiler: kernels out of shared libraries, their workspace
// allocator, and both ends of an RPC session. No exception leaves; links libtvm_ffi and
// libtvm_runtime only.
#pragma once

#include <tvm/ffi/c_api.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "tvm/accelerator.h"

namespace mutatenn {

// One argument of a kernel: a compact tensor in this process's memory, or in a device's.
struct TensorView {
  void* data = nullptr;
  DLDataType dtype{};
  std::span<const int64_t> shape;
  DeviceId device = {};
};

// "float32" -> {kDLFloat, 32, 1}; kInvalidInput for a spelling that TVM does not know.
Result<DLDataType> ParseDType(const std::string& dtype);

// Where a kernel's library gets its temporary buffers. Signatures as in TVM's c_backend_api.h.
struct WorkspaceHook {
  void* (*allocate)(int device_type, int device_id, uint64_t bytes, int code, int bits) = nullptr;
  int (*free)(int device_type, int device_id, void* pointer) = nullptr;
};

// The one function of a kernel's library. Copies share it; the library stays loaded.
class KernelFunction {
 public:
  KernelFunction() = default;
  // Runs the kernel. kTvm with the kernel's own text when it fails. A kernel of ours does not check
  // its arguments: their number, types and shapes are the caller's promise.
  // `numbers`: integers that follow the tensors.
  Status Call(std::span<const TensorView> arguments, std::span<const int64_t> numbers = {}) const;
  // Has the driver compile what it would compile at the first call, where that can be asked of it.
  // Nothing is wrong with a refusal: the call will tell.
  void Prepare(DeviceId device) const;
  // Replaces the allocator of this library and returns the one before; nothing happens where the
  // kernel has no workspace.
  WorkspaceHook SetWorkspace(const WorkspaceHook& hook) const;
  explicit operator bool() const { return state_ != nullptr; }

 private:
  friend Result<KernelFunction> LoadKernel(const std::string& path, const std::string& symbol);
  struct State;
  std::shared_ptr<const State> state_;
};

// `path` absolute or with a slash. The loader knows a library by inode and path: new code needs a
// new name. kNotFound: no such file or function. kTvm: the loader refuses it.
Result<KernelFunction> LoadKernel(const std::string& path, const std::string& symbol);

std::string TvmVersion();

// The client's end. Destroying it ends the session; a dead peer is no trouble then.
class RemoteSession {
 public:
  ~RemoteSession();
  // Calls a function of RegisterRemoteFunctions there. kUnavailable when the server is gone, kTvm
  // when the function threw or does not exist.
  Result<std::string> Call(const std::string& function, const std::string& argument);
  // Does what the first call has to do besides: a way there and back.
  Status Prepare();
  // Of TVM's own server: a file into the session's folder there, and a library out of it that the
  // server loads; what it registers can be called from then on.
  Status Upload(const std::string& name, const std::string& bytes);
  Status LoadUploaded(const std::string& name);
  // What the server compiles for by default, "x86_64-pc-linux-gnu"; "" where it has no compiler.
  Result<std::string> Triple();

 private:
  friend Result<std::unique_ptr<RemoteSession>> Connect(const std::string&, int,
                                                        const std::string&);
  struct State;
  explicit RemoteSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};
// At most 31 sessions a process. Makes the process ignore SIGPIPE.
Result<std::unique_ptr<RemoteSession>> Connect(const std::string& host, int port,
                                               const std::string& key);

// The server's end: functions by name, then one client on an accepted connection until it leaves.
// All are behind one function of TVM's, which a client has to look up but once.
using RemoteFunction = std::function<std::string(const std::string&)>;
using AnyRemoteFunction =
    std::function<std::string(const std::string& function, const std::string& argument)>;
void RegisterRemoteFunctions(const std::map<std::string, RemoteFunction>& functions,
                             const AnyRemoteFunction& others = nullptr);
// Handshake, then serves. kInvalidInput: the peer does not know the key (or speaks something else).
Status ServeConnection(int fd, const std::string& key);
// Its halves. Who answers a client's handshake need not be who serves its calls.
Status AnswerHandshake(int fd, const std::string& key);
Status ServeCalls(int fd);

}  // namespace mutatenn
