// Starting, talking, and why it ended.
#include "device/local_worker.h"

#include "base/hmac.h"

namespace mutatenn {
namespace {

constexpr double kStartSeconds = 60;  // until the worker says its port; it takes 0.3 s

}  // namespace

Result<std::unique_ptr<LocalWorker>> LocalWorker::Start(
    const std::string& program, const std::map<std::string, std::string>& environment) {
  ProcessOptions options;
  options.command = {program, "--channel", std::to_string(kChildSocket)};
  options.name = "mutatenn-worker";
  options.environment = environment;
  options.environment["TVM_NUM_THREADS"] = "1";
  std::string key = TRY(RandomHex(16));
  std::unique_ptr<LocalWorker> worker(new LocalWorker);
  worker->process_ = TRY(Process::Start(options));
  // Neither arguments nor environment: both can be read by other processes of the machine.
  TRY(worker->process_->Send({{"key", key}}));
  Json hello = TRY(worker->process_->Receive(kStartSeconds));
  if (!hello.is_object() || !hello.contains("port") || !hello["port"].is_number_integer())
    return Fail(Code::kUnavailable, program, " is not a mutatenn-worker");
  Result<std::unique_ptr<RemoteSession>> remote =
      Connect("127.0.0.1", hello["port"].get<int>(), key);
  if (!remote.ok()) return remote.error().With("cannot reach the worker");
  worker->remote_ = std::move(remote).value();
  return worker;
}

LocalWorker::~LocalWorker() {
  remote_.reset();  // the worker's loop ends with the connection, its children with the worker
  if (process_ != nullptr && !process_->Wait(2.0).ok()) process_->Kill();
}

Result<std::string> LocalWorker::Call(const std::string& function, const std::string& argument) {
  if (!gone_.empty()) return Fail(Code::kUnavailable, gone_);
  Result<std::string> answer = remote_->Call(function, argument);
  if (answer.ok()) return answer;
  if (answer.error().code != Code::kUnavailable) return answer.error().With(function);
  gone_ = Epitaph(answer.error().message);
  return Fail(Code::kUnavailable, gone_);
}

// Why the worker is gone, in one line.
std::string LocalWorker::Epitaph(const std::string& symptom) {
  Result<int> status = process_->Wait(2.0);  // the connection ends a little before the process
  std::string text = "the worker (pid " + std::to_string(process_->pid()) + ") ";
  text += status.ok() ? DescribeWaitStatus(*status) : "lost its connection: " + symptom;
  std::string last = process_->LastOutput(1);
  return last.empty() ? text : text + "; its last words: " + last;
}

}  // namespace mutatenn
