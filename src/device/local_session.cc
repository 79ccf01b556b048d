// A worker on this machine behind the Session face, with a folder of its own; each method one
// remote call of JSON.
#include <cstdlib>
#include <filesystem>

#include "base/clock.h"
#include "base/files.h"
#include "device/json_session.h"
#include "device/local_worker.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

class LocalSession : public JsonSession {
 public:
  LocalSession(std::unique_ptr<LocalWorker> worker, fs::path scratch)
      : worker_(std::move(worker)), scratch_(std::move(scratch)) {}

  ~LocalSession() override {
    worker_.reset();
    std::error_code ignored;
    fs::remove_all(scratch_, ignored);
  }

  Result<LoadReply> Load(const LoadRequest& request) override {
    LoadRequest ours = request;
    ours.scratch = scratch_;
    return JsonSession::Load(ours);
  }

 private:
  Result<Json> Call(const std::string& function, const Json& argument) override {
    AddSeconds timer(messages_s_, CLOCK_THREAD_CPUTIME_ID);
    return OpenReply(TRY(worker_->Call(function, DumpJson(argument))));
  }

  std::unique_ptr<LocalWorker> worker_;
  fs::path scratch_;
};

Result<fs::path> MakeScratch(const std::string& folder) {
  fs::path parent = folder.empty() ? fs::temp_directory_path() : fs::path(folder);
  TRY(MakeDirectories(parent));
  std::string name = (parent / "worker-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return Fail(Code::kIo, "cannot create a folder in ", parent.string());
  return fs::path(name);
}

}  // namespace

Result<std::unique_ptr<Session>> OpenLocalSession(const LocalOptions& options) {
  fs::path program =
      options.worker.empty() ? ExecutableDirectory() / "mutatenn-worker" : fs::path(options.worker);
  std::map<std::string, std::string> environment;
  if (!options.sabotage_allowed) environment["MUTATENN_SABOTAGE"] = "";
  std::unique_ptr<LocalWorker> worker = TRY(LocalWorker::Start(program.string(), environment));
  fs::path scratch = TRY(MakeScratch(options.scratch));
  return std::unique_ptr<Session>(
      std::make_unique<LocalSession>(std::move(worker), std::move(scratch)));
}

}  // namespace mutatenn
