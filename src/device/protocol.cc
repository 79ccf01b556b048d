// The messages between a session and its worker as JSON, checked on the way in: a damaged message
// is an error that names the message, never a crash of the worker.
#include <cmath>
#include <limits>

#include "base/decode.h"
#include "device/session.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

// JSON has no NaN or infinity.
Json Number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double NumberFrom(const Json& json) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!json.is_string()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  return json == "-inf" ? -kInfinity : kInfinity;
}

Json ToJson(const Limits& limits) {
  return {{"factor", limits.factor},
          {"floor_s", limits.floor_s},
          {"wall_factor", limits.wall_factor},
          {"memory_bytes", limits.memory_bytes},
          {"output_bytes", limits.output_bytes}};
}

Limits LimitsFrom(const Json& json) {
  return {json.at("factor").get<double>(), json.at("floor_s").get<double>(),
          json.at("wall_factor").get<double>(), json.at("memory_bytes").get<int64_t>(),
          json.at("output_bytes").get<int>()};
}

Json ToJson(const OutOfBounds& access) {
  return {{"step", access.step}, {"buffer", access.buffer}, {"offset", access.offset}};
}

}  // namespace

Json ToJson(const LoadRequest& request) {
  return {{"root", request.root},
          {"program", ToJson(request.program)},
          {"memory_budget_bytes", request.memory_budget_bytes},
          {"images", request.images},
          {"runs_per_image", request.runs_per_image},
          {"jobs", request.jobs},
          {"top_k", request.top_k},
          {"limits", ToJson(request.limits)},
          {"scratch", request.scratch}};
}

Result<LoadRequest> LoadRequestFromJson(const Json& json) {
  return Decode("a load request", [&]() -> Result<LoadRequest> {
    LoadRequest request;
    request.root = json.at("root").get<std::string>();
    request.program = TRY(ProgramFromJson(json.at("program")));
    request.memory_budget_bytes = json.at("memory_budget_bytes").get<int64_t>();
    request.images = json.value("images", 0);
    request.runs_per_image = json.value("runs_per_image", 0.0);
    request.jobs = json.at("jobs").get<int>();
    request.top_k = json.at("top_k").get<int>();
    request.limits = LimitsFrom(json.at("limits"));
    request.scratch = json.at("scratch").get<std::string>();
    if (request.jobs < 1 || request.top_k < 1)
      return Fail(Code::kInvalidInput, "a load request needs jobs >= 1 and top_k >= 1");
    return request;
  });
}

Json ToJson(const LoadReply& reply) {
  return {{"cpu", reply.cpu},
          {"tvm_version", reply.tvm_version},
          {"pid", reply.pid},
          {"reference_bytes_per_image", reply.reference_bytes_per_image}};
}

Result<LoadReply> LoadReplyFromJson(const Json& json) {
  return Decode("a load reply", [&]() -> Result<LoadReply> {
    return LoadReply{json.at("cpu").get<std::string>(), json.at("tvm_version").get<std::string>(),
                     json.at("pid").get<int64_t>(),
                     json.at("reference_bytes_per_image").get<int64_t>()};
  });
}

Json ToJson(const Fate& fate) {
  return {{"image", fate.image},
          {"ending", EndingName(fate.ending)},
          {"top", TopToJson(fate.top)},
          {"infected", fate.infected},
          {"dirty_steps", fate.dirty_steps},
          {"first_diverging_step", fate.first_diverging_step},
          {"first_diverging_layer", fate.first_diverging_layer},
          {"nonfinite", fate.nonfinite},
          {"max_abs_diff", Number(fate.max_abs_diff)},
          {"seconds", Number(fate.seconds)},
          {"detail", fate.detail}};
}

Result<Fate> FateFromJson(const Json& json) {
  return Decode("a fate", [&]() -> Result<Fate> {
    Fate fate;
    fate.image = json.at("image").get<std::string>();
    std::string ending = json.at("ending").get<std::string>();
    auto known = EndingFromName(ending);
    if (!known)
      return Fail(Code::kInvalidInput, "a fate is damaged: unknown ending '", ending, "'");
    fate.ending = *known;
    fate.top = TRY(TopFromJson(json.at("top"), "a fate"));
    fate.infected = json.at("infected").get<bool>();
    fate.dirty_steps = json.at("dirty_steps").get<int>();
    fate.first_diverging_step = json.at("first_diverging_step").get<std::string>();
    fate.first_diverging_layer = json.at("first_diverging_layer").get<std::string>();
    fate.nonfinite = json.at("nonfinite").get<bool>();
    fate.max_abs_diff = NumberFrom(json.at("max_abs_diff"));
    fate.seconds = NumberFrom(json.at("seconds"));
    fate.detail = json.at("detail").get<std::string>();
    return fate;
  });
}

Json ToJson(const MutantJob& job) {
  return {{"program", ToJson(job.program)},     {"images", job.images},
          {"stop_at_kill", job.stop_at_kill},   {"full_timing", job.full_timing},
          {"outside_known", job.outside_known}, {"slow_oracle", job.slow_oracle}};
}

Result<MutantJob> MutantJobFromJson(const Json& json) {
  return Decode("a mutant's job", [&]() -> Result<MutantJob> {
    MutantJob job;
    job.program = TRY(MutantProgramFromJson(json.at("program")));
    job.images = json.at("images").get<std::vector<std::string>>();
    job.stop_at_kill = json.at("stop_at_kill").get<bool>();
    job.full_timing = json.at("full_timing").get<bool>();
    job.outside_known = json.value("outside_known", false);
    job.slow_oracle = json.at("slow_oracle").get<bool>();
    return job;
  });
}

Json ToJson(const MutantDone& done) {
  Json fates = Json::array();
  for (const Fate& fate : done.fates) fates.push_back(ToJson(fate));
  Json json = {{"mutant", done.mutant}, {"fates", fates}, {"tool_error", done.tool_error}};
  if (done.out_of_bounds) json["out_of_bounds"] = ToJson(*done.out_of_bounds);
  return json;
}

Result<MutantDone> MutantDoneFromJson(const Json& json) {
  return Decode("a mutant's result", [&]() -> Result<MutantDone> {
    MutantDone done;
    done.mutant = json.at("mutant").get<std::string>();
    for (const Json& fate : json.at("fates")) done.fates.push_back(TRY(FateFromJson(fate)));
    done.tool_error = json.at("tool_error").get<std::string>();
    if (json.contains("out_of_bounds")) {
      const Json& access = json.at("out_of_bounds");
      done.out_of_bounds =
          OutOfBounds{access.at("step").get<std::string>(), access.at("buffer").get<std::string>(),
                      access.at("offset").get<int64_t>()};
    }
    return done;
  });
}

Json ToJson(const OriginalRun& run) {
  Json json = {{"image", run.image}, {"top", TopToJson(run.top)}, {"seconds", Number(run.seconds)}};
  if (run.noisy) json["noisy"] = true;
  return json;
}

Result<OriginalRun> OriginalRunFromJson(const Json& json) {
  return Decode("a run of the original", [&]() -> Result<OriginalRun> {
    return OriginalRun{json.at("image").get<std::string>(),
                       TRY(TopFromJson(json.at("top"), "a run of the original")),
                       NumberFrom(json.at("seconds")), json.value("noisy", false)};
  });
}

}  // namespace mutatenn
