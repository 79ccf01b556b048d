// The process that holds an accelerator: requests as JSON lines, one at a time, for the worker's
// Accelerator; a mutant's steps, fates and end as they come.
#include <csignal>
#include <cstdlib>

#include "base/process.h"
#include "device/remote.h"
#include "worker/accelerator.h"
#include "worker/device_executor.h"
#include "worker/floors.h"
#include "worker/sabotage.h"
#include "worker/step_hashes.h"

namespace mutatenn {
namespace {

class Holder {
 public:
  explicit Holder(int fd) : channel_(fd) {}

  int Run() {
    for (;;) {
      auto request = channel_.Receive(-1);
      if (!request.ok()) return 0;  // the worker is gone
      const std::string op = request->value("op", "");
      if (op == "run") {
        if (!RunMutant(*request).ok()) return 0;
        continue;
      }
      const Result<Json> answer = op == "load"      ? Load(*request)
                                  : op == "images"  ? Images(*request)
                                  : op == "outputs" ? Outputs(*request)
                                  : op == "floors"  ? Floors(*request)
                                  : op == "hashes"  ? Hashes(*request)
                                  : op == "probe"   ? RunProbe(*request)
                                                    : Fail(Code::kInternal, "unknown request ", op);
      if (!channel_.Send(ParseJson(SealReply(answer), "a reply").value()).ok()) return 0;
    }
  }

 private:
  Result<Json> Load(const Json& request) {
    executor_ = TRY(DeviceExecutor::Load(TRY(LoadRequestFromJson(request.at("request")))));
    return Json{{"name", executor_->name()},
                {"reference_bytes", executor_->original().reference_bytes()}};
  }

  Result<Json> Images(const Json& request) {
    Json runs = Json::array();
    for (const OriginalRun& run : TRY(executor_->SetImages(
             TRY(ImageInputsFromJson(request.at("images"))), request.at("file").get<std::string>(),
             TRY(OriginalRunsFromJson(request.at("known"))))))
      runs.push_back(ToJson(run));
    return runs;
  }

  Result<Json> Outputs(const Json& request) {
    return ToJson(TRY(executor_->Outputs(request.at("image").get<std::string>())));
  }

  Result<Place> Aside(const Json& request) {
    return OnAccelerator(executor_->original(), executor_->device(),
                         TRY(ImageInputsFromJson(request.at("images"))));
  }

  Result<Json> Floors(const Json& request) {
    return ToJson(
        TRY(MeasureFloors(executor_->original(), TRY(Aside(request)),
                          TRY(FloorRequestFromJson(request.at("request"))), [] { return true; })));
  }

  Result<Json> Hashes(const Json& request) {
    return ToJson(
        TRY(HashSteps(executor_->original(), TRY(Aside(request)),
                      request.at("names").get<std::vector<std::string>>(), [] { return true; })));
  }

  Result<Json> RunProbe(const Json& request) {
    return ToJson(TRY(executor_->RunProbe(TRY(ProbeFromJson(request.at("probe"))))));
  }

  Status RunMutant(const Json& request) {
    const MutantJob job = TRY(MutantJobFromJson(request.at("job")));
    Status sent = Ok();
    auto send = [&](const Json& message) {
      if (sent.ok()) sent = channel_.Send(message);
    };
    DeviceExecutor::Watcher watcher;
    watcher.fate = [&](const Fate& fate) { send({{"fate", ToJson(fate)}}); };
    watcher.step = [&](const std::string& step) {
      send({{"step", step}});
      if (ActiveSabotage() == Sabotage::kDeviceLost) std::raise(SIGKILL);
    };
    const DeviceRunEnd end = executor_->Run(job, request.at("next").get<int>(), watcher);
    using Kind = DeviceRunEnd::Kind;
    Json said = {{"kind", end.kind == Kind::kFinished       ? "finished"
                          : end.kind == Kind::kKernelFailed ? "kernel"
                                                            : "tool"},
                 {"detail", end.detail}};
    if (end.out_of_bounds)
      said["out_of_bounds"] = {{"step", end.out_of_bounds->step},
                               {"buffer", end.out_of_bounds->buffer},
                               {"offset", end.out_of_bounds->offset}};
    send({{"end", said}});
    return sent;
  }

  LineChannel channel_;
  std::unique_ptr<DeviceExecutor> executor_;
};

}  // namespace

int ServeAccelerator(int fd) { return Holder(fd).Run(); }

}  // namespace mutatenn
