// Probe, upload, load, start.
#include "device/tvm_server.h"

#include <sys/utsname.h>

#include <filesystem>

#include "base/files.h"
#include "device/file_cache.h"
#include "device/reply.h"
#include "device/worker_files.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr const char* kLibrary = "libmutatenn-upload.so";

std::string OwnMachine() {
  utsname system = {};
  ::uname(&system);
  return system.machine;
}

}  // namespace

template <class F>
auto TvmServer::Timed(F&& call) -> decltype(call()) {
  relay_.SetDeadline(timeout_s_);
  auto result = call();
  relay_.SetDeadline(0);
  return result;
}

Status TvmServer::Upload(const std::string& name, const std::string& bytes) {
  return Timed([&] { return remote_.Upload(name, bytes); });
}

Result<Json> TvmServer::Call(const std::string& function, const Json& argument) {
  return OpenReply(TRY(Timed([&] { return remote_.Call(function, DumpJson(argument)); })));
}

// A library of another machine would be refused in words that help nobody.
Status TvmServer::CheckMachine() {
  const std::string ours = options_.machine.empty() ? OwnMachine() : options_.machine;
  const std::string triple = TRY(Timed([&] { return remote_.Triple(); }));
  const std::string theirs = triple.empty() ? ours : triple.substr(0, triple.find('-'));
  if (theirs != ours)
    return Fail(Code::kUnsupported, "the server's machine is ", theirs,
                ", the device's target is for ", ours);
  if (options_.worker.empty() && ours != OwnMachine())
    return Fail(Code::kUnsupported, "no worker for ", ours,
                " to upload; name one as the session's `worker` (make worker-aarch64)");
  return Ok();
}

Result<std::string> TvmServer::Begin() {
  TRY(CheckMachine());
  const fs::path folder =
      options_.worker.empty() ? ExecutableDirectory() : fs::path(options_.worker);
  TRY(Upload(kLibrary, TRY(ReadFile(folder / kLibrary))));
  Status loaded = Timed([&] { return remote_.LoadUploaded(kLibrary); });
  if (!loaded.ok() && loaded.error().code == Code::kTvm)
    return Fail(Code::kUnsupported, "the server cannot load the worker: ", loaded.error().message);
  TRY(std::move(loaded));
  const std::string root = TRY(Call("mutatenn.cache", options_.cache)).get<std::string>();
  std::vector<std::string> names;
  std::vector<fs::path> paths;
  Json files = Json::object();
  for (const auto& [name, path] : TRY(WorkerFiles(options_.worker, options_.kind))) {
    // The server has loaded its own of these; the worker uses them too.
    if (name == kLibrary || name == "libtvm_runtime.so" || name == "libtvm_ffi.so") continue;
    names.push_back(ContentName(path, TRY(ReadFile(path))));
    paths.push_back(path);
    files[name] = names.back();
  }
  int64_t bytes_sent = 0;
  TRY(SendFiles(
      names, [&](size_t i) { return ReadFile(paths[i]); }, &bytes_sent));
  TRY(Call("mutatenn.start", files).With("the server cannot run the worker"));
  return root;
}

Status TvmServer::SendFiles(const std::vector<std::string>& names,
                            const std::function<Result<std::string>(size_t)>& read,
                            int64_t* bytes_sent) {
  const Json missing = TRY(Call("mutatenn.missing", names));
  Json kept = Json::array();
  for (const Json& entry : missing) {
    const std::string& name = names.at(entry.get<size_t>());
    const std::string bytes = TRY(read(entry.get<size_t>()));
    TRY(Upload(name, bytes));
    *bytes_sent += static_cast<int64_t>(bytes.size());
    kept.push_back(name);
  }
  if (!kept.empty()) TRY(Call("mutatenn.keep", kept));
  return Ok();
}

}  // namespace mutatenn
