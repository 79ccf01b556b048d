// Kernels and RPC sessions over TVM's C ABI and global functions; every exception of TVM's ends
// here.
#include "tvm/runtime.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <tvm/runtime/base.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "base/hmac.h"

namespace mutatenn {
namespace ffi = tvm::ffi;
namespace {

constexpr int32_t kMagic = 0xff271;  // TVM's RPC handshake: ok, and (+ 2) no match
constexpr int32_t kMaxKey = 4096;
constexpr size_t kMaxArguments = 64;
constexpr const char* kCall = "mutatenn.call";  // (name, argument) -> reply
using WorkspaceAllocate = void* (*)(int, int, uint64_t, int, int);
using WorkspaceFree = int (*)(int, int, void*);

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

template <class T>
struct AsResult {
  using Type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using Type = Result<T>;
};

// Runs `f`, turns what it throws into an Error. `broken`: the code for anything but an exception of
// the other end of a session, which arrives as RPCError.
template <class F>
auto Caught(F&& f, Code broken = Code::kTvm) -> typename AsResult<decltype(f())>::Type {
  try {
    return f();
  } catch (const ffi::Error& error) {
    return Fail(error.kind() == "RPCError" ? Code::kTvm : broken, std::string(error.kind()), ": ",
                FirstLine(error.message()));
  } catch (const std::exception& error) {
    return Fail(broken, error.what());
  } catch (...) {
    return Fail(broken, "an unknown exception");
  }
}

// What a kernel left behind when it returned an error; takes it out of TVM's hands.
std::string RaisedText() {
  TVMFFIObjectHandle error = nullptr;
  TVMFFIErrorMoveFromRaised(&error);
  if (error == nullptr) return "the kernel reported an error without a text";
  const TVMFFIErrorCell* cell = TVMFFIErrorGetCellPtr(error);
  std::string text = std::string(cell->kind.data, cell->kind.size) + ": " +
                     FirstLine(std::string(cell->message.data, cell->message.size));
  TVMFFIObjectDecRef(error);
  return text;
}

bool ReceiveAll(int fd, void* data, size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    ssize_t n = ::recv(fd, at, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool SendAll(int fd, const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    ssize_t n = ::send(fd, at, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

constexpr uintptr_t kTensorAlignment = 64;  // what TVM states of buffers without one of their own

// A call of so many pointers each.
using PlainCall = int32_t (*)(void* function, void* const* pointers);
template <size_t... I>
int32_t CallPlain(void* function, void* const* pointers) {
  using Function = int32_t (*)(std::conditional_t<I == I, void*, void>...);
  return reinterpret_cast<Function>(function)(pointers[I]...);
}
template <size_t... I>
constexpr PlainCall PlainCallOf(std::index_sequence<I...>) {
  return &CallPlain<I...>;
}
template <size_t... N>
constexpr std::array<PlainCall, sizeof...(N)> MakePlainCalls(std::index_sequence<N...>) {
  return {PlainCallOf(std::make_index_sequence<N>())...};
}
constexpr auto kPlainCalls = MakePlainCalls(std::make_index_sequence<kMaxArguments + 1>());

// Libraries in use, each loaded once. A library with device code remembers the functions of the
// module that loaded it first: were it loaded again and that module dropped, the second module
// would call what is gone. (The loader maps a file once, however often and by whatever name it is
// opened.)
class Libraries {
 public:
  // Throws what TVM throws.
  std::shared_ptr<const ffi::Module> Load(const std::string& path) {
    struct stat file = {};
    if (::stat(path.c_str(), &file) != 0) throw std::runtime_error(std::strerror(errno));
    const File key = {file.st_dev, file.st_ino};
    std::unique_lock lock(mutex_);
    for (auto found = loaded_.find(key); found != loaded_.end(); found = loaded_.find(key)) {
      if (auto library = found->second.lock()) return library;
      dropped_.wait(lock);  // another thread is about to close it
    }
    auto drop = [this, key](const ffi::Module* library) {
      const std::lock_guard lock(mutex_);
      delete library;
      loaded_.erase(key);
      dropped_.notify_all();
    };
    std::shared_ptr<const ffi::Module> library(new ffi::Module(ffi::Module::LoadFromFile(path)),
                                               drop);
    loaded_[key] = library;
    return library;
  }

 private:
  using File = std::pair<dev_t, ino_t>;
  std::mutex mutex_;
  std::condition_variable dropped_;
  std::map<File, std::weak_ptr<const ffi::Module>> loaded_;
};

Libraries& LoadedLibraries() {
  static auto* libraries = new Libraries;  // never destroyed: kernels may live as long
  return *libraries;
}

}  // namespace

struct KernelFunction::State {
  std::shared_ptr<const ffi::Module> library;
  ffi::Function function;  // of TVM's packed convention; null where the library has
  void* plain = nullptr;   // the other kind: int32_t (void*, ...), a pointer a tensor
  WorkspaceAllocate* allocate = nullptr;  // weak variables of the library, null where absent
  WorkspaceFree* free = nullptr;
};

Result<DLDataType> ParseDType(const std::string& dtype) {
  TVMFFIByteArray text{dtype.data(), dtype.size()};
  DLDataType parsed;
  if (TVMFFIDataTypeFromString(&text, &parsed) != 0) {
    RaisedText();
    return Fail(Code::kInvalidInput, "unknown data type '", dtype, "'");
  }
  return parsed;
}

Status KernelFunction::Call(std::span<const TensorView> arguments,
                            std::span<const int64_t> numbers) const {
  std::array<DLTensor, kMaxArguments> tensors;
  std::array<TVMFFIAny, kMaxArguments> packed;
  if (arguments.size() + numbers.size() > kMaxArguments)
    return Fail(Code::kUnsupported, "a kernel with over 64 arguments");
  if (state_->plain != nullptr) {
    CHECK(numbers.empty());
    std::array<void*, kMaxArguments> pointers;
    uintptr_t bits = 0;
    for (size_t i = 0; i < arguments.size(); ++i) {
      pointers[i] = arguments[i].data;
      bits |= reinterpret_cast<uintptr_t>(pointers[i]);
    }
    CHECK(bits % kTensorAlignment == 0);  // it moves whole lines
    if (kPlainCalls[arguments.size()](state_->plain, pointers.data()) == 0) return Ok();
    return Fail(Code::kTvm, "no memory for the kernel's workspace");
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const TensorView& view = arguments[i];
    tensors[i] = {view.data,
                  {static_cast<DLDeviceType>(view.device.type), view.device.index},
                  static_cast<int32_t>(view.shape.size()),
                  view.dtype,
                  const_cast<int64_t*>(view.shape.data()),
                  nullptr,
                  0};
    packed[i] = {};
    packed[i].type_index = kTVMFFIDLTensorPtr;
    packed[i].v_ptr = &tensors[i];
  }
  size_t count = arguments.size();
  for (int64_t number : numbers) {
    packed[count] = {};
    packed[count].type_index = kTVMFFIInt;
    packed[count++].v_int64 = number;
  }
  TVMFFIAny result = {};
  auto* function = const_cast<ffi::FunctionObj*>(state_->function.get());
  if (TVMFFIFunctionCall(function, packed.data(), static_cast<int32_t>(count), &result) != 0)
    return Fail(Code::kTvm, RaisedText());
  return Ok();
}

void KernelFunction::Prepare(DeviceId device) const {
  (void)Caught([&] {
    for (const ffi::Any& imported : (*state_->library)->imports()) {
      auto prepare = imported.cast<ffi::Module>()->GetFunction("mutatenn.prepare");
      if (prepare.has_value()) (*prepare)(device.index);
    }
    return 0;
  });
}

WorkspaceHook KernelFunction::SetWorkspace(const WorkspaceHook& hook) const {
  if (state_->allocate == nullptr || state_->free == nullptr) return hook;
  WorkspaceHook before{*state_->allocate, *state_->free};
  *state_->allocate = hook.allocate;
  *state_->free = hook.free;
  return before;
}

Result<KernelFunction> LoadKernel(const std::string& path, const std::string& symbol) {
  if (::access(path.c_str(), R_OK) != 0)
    return Fail(Code::kNotFound, path, ": ", std::strerror(errno));
  auto state = Caught([&] {
    auto library = LoadedLibraries().Load(path);
    ffi::Optional<ffi::Function> function = (*library)->GetFunction(symbol);
    auto loaded = std::make_shared<KernelFunction::State>(KernelFunction::State{library});
    if (function.has_value()) loaded->function = *function;
    return loaded;
  });
  if (!state.ok()) return state.error().With(path);
  // The library is loaded already; the handle is never closed, as the module holds its own.
  if (void* handle = ::dlopen(path.c_str(), RTLD_NOLOAD | RTLD_NOW)) {
    if ((*state)->function == nullptr) (*state)->plain = ::dlsym(handle, symbol.c_str());
    (*state)->allocate =
        static_cast<WorkspaceAllocate*>(::dlsym(handle, "__TVMBackendAllocWorkspace"));
    (*state)->free = static_cast<WorkspaceFree*>(::dlsym(handle, "__TVMBackendFreeWorkspace"));
    ::dlclose(handle);
  }
  if ((*state)->function == nullptr && (*state)->plain == nullptr)
    return Fail(Code::kNotFound, path, ": exports no function '", symbol, "'");
  KernelFunction kernel;
  kernel.state_ = *state;
  return kernel;
}

std::string TvmVersion() { return TVM_VERSION; }

struct RemoteSession::State {
  ffi::Optional<ffi::Module> session;
  std::map<std::string, ffi::Function> functions;  // looked up once each
  std::vector<ffi::Any> loaded;

  // Null where the server has none.
  ffi::Function Find(const std::string& name) {
    auto found = functions.find(name);
    if (found != functions.end()) return found->second;
    ffi::Optional<ffi::Function> remote = (*session)->GetFunction(name);
    if (!remote.has_value() || *remote == nullptr) return nullptr;
    return functions[name] = *remote;
  }
  Result<ffi::Function> Require(const std::string& name) {
    ffi::Function function = Find(name);
    if (function == nullptr)
      return Fail(Code::kUnsupported, "the server has no function ", name, "; is it an older one?");
    return function;
  }
};

RemoteSession::RemoteSession(std::unique_ptr<State> state) : state_(std::move(state)) {}

RemoteSession::~RemoteSession() {
  (void)Caught([&] {
    state_->functions.clear();
    state_->loaded.clear();
    state_.reset();
    return 0;
  });
}

Result<std::string> RemoteSession::Call(const std::string& function, const std::string& argument) {
  return Caught(
      [&]() -> Result<std::string> {
        ffi::Function call = TRY(state_->Require(kCall));
        return std::string(call(ffi::String(function), ffi::String(argument)).cast<ffi::String>());
      },
      Code::kUnavailable);
}

Status RemoteSession::Prepare() {
  return Caught(
      [&]() -> Status {
        TRY(state_->Require(kCall));
        return Ok();
      },
      Code::kUnavailable);
}

Status RemoteSession::Upload(const std::string& name, const std::string& bytes) {
  return Caught(
      [&]() -> Status {
        TRY(state_->Require("tvm.rpc.server.upload"))(ffi::String(name), ffi::Bytes(bytes));
        return Ok();
      },
      Code::kUnavailable);
}

Status RemoteSession::LoadUploaded(const std::string& name) {
  return Caught(
      [&]() -> Status {
        ffi::Function load = TRY(state_->Require("tvm.rpc.server.load_module"));
        state_->loaded.push_back(load(ffi::String(name)));
        return Ok();
      },
      Code::kUnavailable);
}

Result<std::string> RemoteSession::Triple() {
  return Caught(
      [&]() -> Result<std::string> {
        ffi::Function triple = state_->Find("tvm.codegen.llvm.GetDefaultTargetTriple");
        if (triple == nullptr) return std::string();
        return std::string(triple().cast<ffi::String>());
      },
      Code::kUnavailable);
}

Result<std::unique_ptr<RemoteSession>> Connect(const std::string& host, int port,
                                               const std::string& key) {
  std::signal(SIGPIPE, SIG_IGN);  // else a dead server kills us at the next call
  auto state = Caught(
      [&] {
        auto made = std::make_unique<RemoteSession::State>();
        ffi::Function connect = ffi::Function::GetGlobalRequired("rpc.Connect");
        made->session =
            connect(ffi::String(host), port, ffi::String(key), false).cast<ffi::Module>();
        return made;
      },
      Code::kUnavailable);
  if (!state.ok()) return state.error();
  return std::unique_ptr<RemoteSession>(new RemoteSession(std::move(state).value()));
}

void RegisterRemoteFunctions(const std::map<std::string, RemoteFunction>& functions,
                             const AnyRemoteFunction& others) {
  auto call = [functions, others](const ffi::String& name, const ffi::String& argument) {
    auto known = functions.find(std::string(name));
    if (known != functions.end()) return ffi::String(known->second(std::string(argument)));
    if (others == nullptr) TVM_FFI_THROW(ValueError) << "no function " << name;
    return ffi::String(others(std::string(name), std::string(argument)));
  };
  ffi::Function::SetGlobal(kCall, ffi::Function::FromTyped(call), /*override=*/true);
}

Status ServeConnection(int fd, const std::string& key) {
  TRY(AnswerHandshake(fd, key));
  return ServeCalls(fd);
}

Status AnswerHandshake(int fd, const std::string& key) {
  timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int32_t head[2];
  if (!ReceiveAll(fd, head, sizeof head) || head[0] != kMagic || head[1] < 0 || head[1] > kMaxKey)
    return Fail(Code::kInvalidInput, "a peer that does not speak TVM's RPC");
  std::string theirs(static_cast<size_t>(head[1]), '\0');
  if (!ReceiveAll(fd, theirs.data(), theirs.size()))
    return Fail(Code::kInvalidInput, "a peer that left during the handshake");
  bool known = SameSecret(theirs.substr(0, theirs.find(' ')), "client:" + key);
  int32_t answer = known ? kMagic : kMagic + 2;
  if (!SendAll(fd, &answer, sizeof answer) || !known)
    return Fail(Code::kInvalidInput, "a peer with another key");
  // The server's name in the handshake; repeating the key would tell it to whoever listens.
  std::string name = "server:mutatenn";
  int32_t size = static_cast<int32_t>(name.size());
  if (!SendAll(fd, &size, sizeof size) || !SendAll(fd, name.data(), name.size()))
    return Fail(Code::kUnavailable, "the peer left during the handshake");
  timeval forever{0, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof forever);
  return Ok();
}

Status ServeCalls(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Caught(
      [&]() -> Status {
        ffi::Function::GetGlobalRequired("rpc.ServerLoop")(fd);
        return Ok();
      },
      Code::kUnavailable);
}

}  // namespace mutatenn
