// Switches, and what each does to the difference of a step.
#include "campaign/explain.h"

#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "base/scratch_folder.h"

namespace mutatenn {
namespace {

constexpr double kGuarded_s = 60;
constexpr const char* kFloat64Switch = "float64 inside";

struct Switch {
  std::string name;
  // How the step's kernels are built with it thrown, for a program's target; nothing: it is thrown
  // already, or the target has none.
  std::function<std::optional<Rebuilding>(const Json& target)> how;
};

bool UsesLlvm(const Json& target) { return target.value("kind", "") == "llvm"; }

std::vector<Switch> Switches() {
  auto code = [](const char* variant) {
    return [variant](const Json& target) -> std::optional<Rebuilding> {
      if (!UsesLlvm(target)) return std::nullopt;
      return Rebuilding{.code = variant};
    };
  };
  return {
      {"fast math off",
       [](const Json& target) -> std::optional<Rebuilding> {
         Rebuilding how;
         for (const auto& [key, value] : target.items())
           if (key.starts_with("fast-math")) how.target[key] = nullptr;
         if (how.target.empty()) return std::nullopt;
         return how;
       }},
      {"multiply-add otherwise", code(kContractionVariant)},
      {"LLVM's optimiser off",
       [](const Json& target) -> std::optional<Rebuilding> {
         if (!UsesLlvm(target)) return std::nullopt;
         Rebuilding how;
         how.target["opt-level"] = 0;
         return how;
       }},
      {"no schedule",
       [](const Json& target) -> std::optional<Rebuilding> {
         if (!UsesLlvm(target)) return std::nullopt;
         Rebuilding how;
         how.dropped = {kNormalizePass, kSchedulePass};
         return how;
       }},
      {kFloat64Switch, code(kFloat64Variant)},
  };
}

// The step's outputs on a side with the switch thrown; nothing, and why, where that cannot be.
struct Thrown {
  std::optional<std::vector<std::string>> outputs;
  std::string why;
};
Result<Thrown> Throw(Side& side, const StepAlone& step, const Switch& which) {
  const Json target = TRY(ParseJson(side.program.target, "the program's target"));
  auto how = which.how(target);
  if (!how) return Thrown{{}, side.name + ": nothing to switch"};
  how->kernels = step.KernelsOf(side);
  const auto built = TRY(Rebuild(side, {*how}));
  if (!built[0].ok()) return Thrown{{}, side.name + ": " + built[0].error().message};
  return Thrown{TRY(step.Run(side, built[0].value())), ""};
}

// The step's kernels of a side in guarded memory, on its own values of the image.
Result<std::string> LookOutside(Side& side, const StepAlone& step, const CompareInput& input) {
  if (!UsesLlvm(TRY(ParseJson(side.program.target, "target")))) return std::string("-");
  const auto built = TRY(Rebuild(side, {Rebuilding{.kernels = step.KernelsOf(side)}}));
  Program program = TRY(Result<Program>(built[0]));
  MutantJob job;
  for (auto& [key, kernel] : program.kernels) {
    if (side.program.kernels.contains(key)) continue;
    kernel.code.clear();  // the same code: without this it would count as clean, and not be run
    job.program.guarded.push_back(key);
  }
  job.program.mutant = "guarded";
  job.program.graph_changed = true;
  job.program.edit = Difference(side.program, program);
  job.images = {input.name};
  const ScratchFolder folder = TRY(ScratchFolder::Make("explain"));
  const std::string file = folder.path() + "/input.bin";
  TRY(WriteFile(file, input.bytes));
  LoadRequest request = side.request;
  request.program = side.program;
  TRY(side.session->Load(request));
  TRY(side.session->SetImages({{input.name, file}}));
  TRY(side.session->Submit({job}));
  const auto done = TRY(side.session->Collect(kGuarded_s));
  if (done.empty() || !done[0].tool_error.empty()) return std::string("-");
  if (!done[0].out_of_bounds) return std::string();
  const OutOfBounds& found = *done[0].out_of_bounds;
  return found.buffer + " at byte " + std::to_string(found.offset) + " in step " + found.step;
}

Json Number(const std::optional<double>& value) {
  if (!value) return nullptr;
  if (std::isfinite(*value)) return *value;
  return "inf";
}

}  // namespace

Result<std::vector<Result<Program>>> Rebuild(Side& side, const std::vector<Rebuilding>& how,
                                             Dropped dropped) {
  std::vector<Mutant> mutants;
  for (Rebuilding one : how) {
    if (dropped == Dropped::kAndTheSides)
      one.dropped.insert(one.dropped.end(), side.dropped.begin(), side.dropped.end());
    mutants.push_back(MutantFor(one));
  }
  const Program& original = side.generator->info().programs.at(static_cast<size_t>(side.target));
  std::vector<Result<Program>> programs(how.size(), Fail(Code::kTvm, "not built"));
  TRY(side.generator->Build(side.target, mutants, [&](const BuiltMutant& built) -> Status {
    for (size_t i = 0; i < mutants.size(); ++i) {
      if (mutants[i].id != built.mutant) continue;
      programs[i] = built.state == "ok" ? built.program.Apply(original)
                                        : Result<Program>(Fail(Code::kTvm, built.reason));
    }
    return Ok();
  }));
  return programs;
}

Result<Explanation> Explain(Side& a, Side& b, const Comparison& comparison, int index,
                            const CompareInput& input, Progress& progress) {
  const ComparedStep& compared = comparison.steps.at(static_cast<size_t>(index));
  if (a.generator == nullptr || b.generator == nullptr)
    return Fail(Code::kUnsupported, "only what was compiled here can be explained");
  Explanation found{.step = compared.name, .image = compared.image, .floor = compared.floor};
  const StepAlone step = TRY(StepAlone::Prepare(a, b, index, input));
  const auto of_a = TRY(step.Run(a, a.program)), of_b = TRY(step.Run(b, b.program));
  found.difference = step.Difference(of_a, of_b);
  const std::vector<Switch> switches = Switches();
  progress.Begin("switching", std::ssize(switches));
  for (const Switch& which : switches) {
    SwitchEffect effect{.name = which.name};
    const Thrown on_a = TRY(Throw(a, step, which)), on_b = TRY(Throw(b, step, which));
    if (on_a.outputs) effect.on_a = step.Difference(*on_a.outputs, of_b);
    if (on_b.outputs) effect.on_b = step.Difference(of_a, *on_b.outputs);
    if (on_a.outputs && on_b.outputs)
      effect.on_both = step.Difference(*on_a.outputs, *on_b.outputs);
    if (which.name == kFloat64Switch) {
      if (on_a.outputs) found.from_float64_a = step.Difference(*on_a.outputs, of_a);
      if (on_b.outputs) found.from_float64_b = step.Difference(*on_b.outputs, of_b);
    }
    for (const Thrown* side : {&on_a, &on_b})
      effect.why += (side->why.empty() || effect.why.empty() ? "" : "; ") + side->why;
    for (const auto& left : {effect.on_a, effect.on_b, effect.on_both})
      effect.removes |= left && *left <= found.floor;
    if (effect.removes && found.named.empty()) found.named = effect.name;
    found.switches.push_back(std::move(effect));
    progress.Count();
  }
  progress.End();
  found.outside_a = TRY(LookOutside(a, step, input));
  found.outside_b = TRY(LookOutside(b, step, input));
  return found;
}

Json ToJson(const Explanation& explanation) {
  Json switches = Json::array();
  for (const SwitchEffect& effect : explanation.switches)
    switches.push_back({{"switch", effect.name},
                        {"on_a", Number(effect.on_a)},
                        {"on_b", Number(effect.on_b)},
                        {"on_both", Number(effect.on_both)},
                        {"why", effect.why},
                        {"removes", effect.removes}});
  return {{"step", explanation.step},
          {"image", explanation.image},
          {"difference", Number(explanation.difference)},
          {"floor", explanation.floor},
          {"named", explanation.named},
          {"from_float64_a", Number(explanation.from_float64_a)},
          {"from_float64_b", Number(explanation.from_float64_b)},
          {"outside_a", explanation.outside_a},
          {"outside_b", explanation.outside_b},
          {"switches", switches}};
}

}  // namespace mutatenn
