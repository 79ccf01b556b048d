// The library that TVM's own RPC server is given (device/tvm_server.h) and loads. It takes files
// that were uploaded into the cache of this machine, starts the worker among them as a process of
// its own, on the TVM runtime that the server has loaded, and passes calls on to it. So a worker
// that dies takes no session of the server's along, which that would not survive.
#include <dlfcn.h>
#include <link.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/files.h"
#include "device/file_cache.h"
#include "device/local_worker.h"
#include "device/reply.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kCacheBytes = int64_t{4096} << 20;

// The folder of a library that this process has loaded. kUnsupported: it has not.
Result<std::string> FolderOf(const char* library) {
  void* handle = ::dlopen(library, RTLD_NOLOAD | RTLD_LAZY);
  link_map* loaded = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &loaded) != 0)
    return Fail(Code::kUnsupported, "the server runs without ", library,
                ", which the worker needs; install the apache-tvm wheel there");
  return fs::path(loaded->l_name).parent_path().string();
}

// Where this library was uploaded to, and all that comes after it.
fs::path UploadFolder() {
  Dl_info info = {};
  ::dladdr(reinterpret_cast<void*>(&UploadFolder), &info);
  return fs::absolute(info.dli_fname).parent_path();
}

class Upload {
 public:
  std::string Answer(const std::string& function, const std::string& text) {
    if (function == "mutatenn.cache") return Reply(&Upload::Cache, text);
    if (function == "mutatenn.missing") return Reply(&Upload::Missing, text);
    if (function == "mutatenn.keep") return Reply(&Upload::Keep, text);
    if (function == "mutatenn.start") return Reply(&Upload::Start, text);
    if (worker_ == nullptr) return SealReply(Fail(Code::kInvalidInput, "no worker was started"));
    Result<std::string> answer = worker_->Call(function, text);
    return answer.ok() ? *answer : SealReply(answer.error());
  }

 private:
  std::string Reply(Result<Json> (Upload::*method)(const Json&), const std::string& text) {
    Result<Json> argument = ParseJson(text, "an argument");
    return SealReply(argument.ok() ? (this->*method)(*argument) : argument);
  }

  // Where files are kept here.
  Result<Json> Cache(const Json& folder) {
    cache_ = folder.is_string() && !folder.get<std::string>().empty() ? folder.get<std::string>()
                                                                      : DefaultCache();
    TRY(MakeDirectories(cache_));
    return Json(fs::absolute(cache_).string());
  }

  Result<Json> Missing(const Json& names) {
    Json missing = TRY(MissingFiles(cache_, names));
    if (!std::exchange(looked_, true)) EvictFiles(cache_, kCacheBytes);  // those just named stay
    return missing;
  }

  // Uploaded files, by their content.
  Result<Json> Keep(const Json& names) {
    for (const Json& entry : names) {
      const std::string name = entry.is_string() ? entry.get<std::string>() : "";
      if (!IsContentName(name)) return Fail(Code::kInvalidInput, "a file with a name of its own");
      const fs::path uploaded = UploadFolder() / name;
      TRY(KeepFile(cache_, name, TRY(ReadFile(uploaded))));
      std::error_code ignored;
      fs::remove(uploaded, ignored);
    }
    return Json::object();
  }

  // {"mutatenn-worker": content name, library: content name...}
  Result<Json> Start(const Json& files) {
    const fs::path folder = UploadFolder() / "worker";
    TRY(MakeDirectories(folder));
    for (const auto& [name, content] : files.items()) {
      const fs::path path = folder / fs::path(name).filename();
      TRY(WriteFile(path, TRY(ReadFile(fs::path(cache_) / content.get<std::string>()))));
      fs::permissions(path, fs::perms::owner_all);
    }
    const std::string libraries = folder.string() + ":" + TRY(FolderOf("libtvm_runtime.so")) + ":" +
                                  TRY(FolderOf("libtvm_ffi.so"));
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    worker_ = TRY(LocalWorker::Start(folder / "mutatenn-worker",
                                     {{"LD_LIBRARY_PATH", libraries}, {"MUTATENN_SABOTAGE", ""}}));
    utsname system = {};
    ::uname(&system);
    return Json(system.machine);
  }

  std::string cache_;
  bool looked_ = false;
  std::unique_ptr<LocalWorker> worker_;
};

const bool kRegistered = [] {
  auto upload = std::make_shared<Upload>();
  RegisterRemoteFunctions({}, [upload](const std::string& function, const std::string& text) {
    return upload->Answer(function, text);
  });
  return true;
}();

}  // namespace
}  // namespace mutatenn
