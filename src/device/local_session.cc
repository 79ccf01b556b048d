// A worker on this machine behind the Session face: our own child process, its key and port over
// the child's socket, then TVM RPC over loopback TCP, each method one remote call of JSON.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/clock.h"
#include "base/files.h"
#include "base/hmac.h"
#include "base/process.h"
#include "device/json_session.h"
#include "device/session.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kStartSeconds = 60;  // until the worker says its port; it takes 0.3 s

class LocalSession : public JsonSession {
 public:
  LocalSession(std::unique_ptr<Process> worker, std::unique_ptr<RemoteSession> remote,
               fs::path scratch)
      : worker_(std::move(worker)), remote_(std::move(remote)), scratch_(std::move(scratch)) {}

  ~LocalSession() override {
    remote_.reset();  // the worker's loop ends with the connection, its children with the worker
    if (!worker_->Wait(2.0).ok()) worker_->Kill();
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
    if (!gone_.empty()) return Fail(Code::kUnavailable, gone_);
    AddSeconds timer(messages_s_, CLOCK_THREAD_CPUTIME_ID);
    Result<std::string> answer = remote_->Call(function, DumpJson(argument));
    if (answer.ok()) return OpenReply(*answer);
    if (answer.error().code != Code::kUnavailable) return answer.error().With(function);
    gone_ = Epitaph(answer.error().message);
    return Fail(Code::kUnavailable, gone_);
  }

  // Why the worker is gone, in one line.
  std::string Epitaph(const std::string& symptom) {
    Result<int> status = worker_->Wait(2.0);  // the connection ends a little before the process
    std::string text = "the worker (pid " + std::to_string(worker_->pid()) + ") ";
    text += status.ok() ? DescribeWaitStatus(*status) : "lost its connection: " + symptom;
    std::string last = worker_->LastOutput(1);
    return last.empty() ? text : text + "; its last words: " + last;
  }

  std::unique_ptr<Process> worker_;
  std::unique_ptr<RemoteSession> remote_;
  fs::path scratch_;
  std::string gone_;  // not empty: every call fails with this
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
  ProcessOptions process;
  fs::path worker =
      options.worker.empty() ? ExecutableDirectory() / "mutatenn-worker" : fs::path(options.worker);
  process.command = {worker.string(), "--channel", std::to_string(kChildSocket)};
  process.name = "mutatenn-worker";
  process.environment["TVM_NUM_THREADS"] = "1";
  if (!options.sabotage_allowed) process.environment["MUTATENN_SABOTAGE"] = "";
  std::string key = TRY(RandomHex(16));
  std::unique_ptr<Process> started = TRY(Process::Start(process));
  // Neither arguments nor environment: both can be read by other processes of the machine.
  TRY(started->Send({{"key", key}}));
  Json hello = TRY(started->Receive(kStartSeconds));
  if (!hello.is_object() || !hello.contains("port") || !hello["port"].is_number_integer())
    return Fail(Code::kUnavailable, worker.string(), " is not a mutatenn-worker");
  Result<std::unique_ptr<RemoteSession>> remote =
      Connect("127.0.0.1", hello["port"].get<int>(), key);
  if (!remote.ok()) return remote.error().With("cannot reach the worker");
  fs::path scratch = TRY(MakeScratch(options.scratch));
  return std::unique_ptr<Session>(std::make_unique<LocalSession>(
      std::move(started), std::move(remote).value(), std::move(scratch)));
}

}  // namespace mutatenn
