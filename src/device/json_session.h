// Session's methods as one remote call of JSON each; what a call is, is the subclass's.
#pragma once

#include <string>
#include <vector>

#include "device/remote.h"
#include "device/repeat.h"
#include "device/session.h"

namespace mutatenn {

// What ends so soon after the first answer comes with it: a message costs both ends more than a
// millisecond where every core is busy with mutants.
inline constexpr double kNearLinger_s = 0.03;

class JsonSession : public Session {
 public:
  Result<WorkerHello> Hello() override {
    Json hello = TRY(Call("mutatenn.hello", Json::object()));
    if (!hello.is_object()) return Fail(Code::kInvalidInput, "a hello is damaged");
    return WorkerHello{hello.value("machine", ""), hello.value("cpu", ""),
                       hello.value("tvm_version", "")};
  }
  Result<WorkerSpeed> Speed() override {
    const Json speed = TRY(Call("mutatenn.speed", Json::object()));
    if (!speed.is_object()) return Fail(Code::kInvalidInput, "a speed is damaged");
    return WorkerSpeed{speed.value("gflops", 0.0), speed.value("copy_gb_s", 0.0)};
  }
  Result<LoadReply> Load(const LoadRequest& request) override {
    return LoadReplyFromJson(TRY(Call("mutatenn.load", ToJson(request))));
  }
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) override {
    return OriginalRunsFromJson(TRY(Call("mutatenn.images", ToJson(images))));
  }
  Status Submit(const std::vector<MutantJob>& jobs) override {
    Json list = Json::array();
    for (const MutantJob& job : jobs) list.push_back(ToJson(job));
    TRY(Call("mutatenn.submit", list));
    return Ok();
  }
  Result<std::vector<MutantDone>> Collect(double wait_s) override {
    return MutantDonesFromJson(
        TRY(Call("mutatenn.collect", {{"wait_s", wait_s}, {"linger_s", kNearLinger_s}})));
  }
  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) override {
    return OutputsFromJson(TRY(Call("mutatenn.outputs", {{"image", image}})));
  }
  Result<std::vector<RepeatedRun>> Repeat(const std::vector<ImageInput>& images,
                                          int runs) override {
    return RepeatedRunsFromJson(
        TRY(Call("mutatenn.repeat", {{"images", ToJson(images)}, {"runs", runs}})));
  }
  Result<std::vector<StepFloor>> Floors(const FloorRequest& request) override {
    return FloorsFromJson(TRY(Call("mutatenn.floors", ToJson(request))));
  }
  Result<std::vector<ImageHashes>> Hashes(const std::vector<std::string>& images) override {
    return ImageHashesFromJson(TRY(Call("mutatenn.hashes", {{"images", images}})));
  }
  Result<Probed> Run(const Probe& probe) override {
    return ProbedFromJson(TRY(Call("mutatenn.probe", ToJson(probe))));
  }
  Result<WorkerStats> Stats() override {
    WorkerStats stats = TRY(WorkerStatsFromJson(TRY(Call("mutatenn.stats", Json::object()))));
    stats.rpc_s += messages_s_;
    return stats;
  }

 protected:
  // kUnavailable: the worker is gone.
  virtual Result<Json> Call(const std::string& function, const Json& argument) = 0;

  double messages_s_ = 0;  // of CPU time, spent in Call by the subclass
};

}  // namespace mutatenn
