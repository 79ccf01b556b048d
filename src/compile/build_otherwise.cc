// Mutants of level build: the original's kernels with the compiler run in another way. Other passes
// and targets make other code of the same schedule; another vector width or fusion makes other
// steps. What TVM refuses is stillborn.
#include "base/diff.h"
#include "compile/break_fusion.h"
#include "compile/codegen.h"
#include "compile/pipeline.h"
#include "tvm/gpu_passes.h"

namespace mutatenn {

BuildSettings Pipeline::SettingsOf(const PerTarget& target, const std::string& kernel) const {
  BuildSettings settings;
  auto json = ParseJson(target.target.canonical, "target");
  CHECK(json.ok(), target.target.canonical);
  settings.target = std::move(*json);
  const bool accelerator = target.target.accelerator();
  settings.lanes = options_.level < 3 || accelerator ? 0 : target.unit.lanes;
  for (size_t i = 0; i < fused_.steps.size(); ++i) {
    if (key_of_step_[i] != kernel) continue;
    settings.calls = fused_.steps[i].calls;
    break;
  }
  settings.steps = {settings.calls.size()};
  if (accelerator)
    settings.passes.assign(std::begin(kGpuLoweringPasses), std::end(kGpuLoweringPasses));
  else
    settings.passes.assign(std::begin(kLoweringPasses), std::end(kLoweringPasses));
  return settings;
}

std::vector<KernelSubject> Pipeline::BuildSubjects() const {
  std::vector<KernelSubject> subjects = Subjects(/*by_step=*/false);
  for (KernelSubject& subject : subjects)
    for (const PerTarget& target : targets_)
      subject.settings.push_back(SettingsOf(target, subject.key));
  return subjects;
}

Result<Pipeline::Finish> Pipeline::BeginOtherwise(int target_index, const Mutant& mutant,
                                                  KernelBatch& batch) {
  const PerTarget& target = targets_.at(target_index);
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr, mutant.use.id);
  Changed changed;
  BuiltMutant built;
  built.ir_kind = "settings";
  built.program.mutant = mutant.id;
  built.cached = true;
  bool width = false, fusion = false;
  for (const MutationPoint& point : mutant.points) {
    const BuildSettings settings = SettingsOf(target, point.kernel);
    BuildSettings other = TRY(ApplyToSettings(*op, mutant.use.parameters, settings, point));
    // What LLVM is told would be the host's on an accelerator, which only launches the kernel.
    if (target.target.accelerator()) other.target = settings.target;
    if (TextOf(other) == TextOf(settings)) continue;
    built.diff += "--- kernel " + point.role + " " + point.kernel + "\n+++ mutant " + mutant.id +
                  "\n" + UnifiedDiff(TextOf(settings), TextOf(other));
    width = width || other.lanes != settings.lanes;
    fusion = fusion || other.steps != settings.steps;
    if (!changed.emplace(point.kernel, std::make_pair(settings, other)).second)
      return Fail(Code::kInternal, "two mutation points of ", op->id, " are in one kernel");
  }
  if (changed.empty()) {
    built.state = "ignored";
    built.reason = "changes no setting of this target";
    return Finish([built]() -> Result<BuiltMutant> { return built; });
  }
  if (fusion) return BeginOtherFusion(target_index, changed, std::move(built), batch);
  if (width) return BeginOtherWidth(target_index, changed, std::move(built), batch);
  return BeginOtherCode(target_index, mutant, changed, built.diff, batch);
}

Result<Pipeline::Finish> Pipeline::BeginOtherCode(int target_index, const Mutant& mutant,
                                                  const Changed& changed, const std::string& diff,
                                                  KernelBatch& batch) {
  const PerTarget& target = targets_.at(target_index);
  std::vector<MutatedKernel> kernels;
  for (const auto& [key, both] : changed) {
    const auto& [settings, other] = both;
    const std::string text = DumpJson(other.target);
    Target& resolved = other_targets_[text];
    if (!resolved.node)
      resolved = other.target == settings.target ? target.target : TRY(ResolveTarget(text));
    const KernelSource& source = sources_.at(key);
    const Scheduled& scheduled = target.scheduled.at(key);
    OriginalKernel original = target.Original(key);
    // Equal when lowered is equal for the same target alone.
    if (other.target != settings.target) original.lowered.clear();
    const Node lowered = TRY(Lower(scheduled.function, resolved, other.passes));
    const auto made = [&]() -> Result<Scheduled> { return scheduled; };
    kernels.push_back(
        {&source, "", TRY(batch.Add(source, TextOf(other), resolved, made, &original, lowered))});
  }
  return FinishKernels(target_index, mutant, kernels, diff, "settings");
}

Result<Pipeline::Finish> Pipeline::BeginOtherWidth(int target_index, const Changed& changed,
                                                   BuiltMutant built, KernelBatch& batch) const {
  VectorUnit unit = targets_.at(target_index).unit;
  std::map<std::string, KernelSource> sources;
  std::vector<std::string> key_of_step = key_of_step_;
  for (const auto& [key, both] : changed) {
    unit.lanes = both.second.lanes;
    KernelSource source = sources_.at(key);
    source.key += "@" + std::to_string(unit.lanes) + "lanes";
    built.program.guarded.push_back(source.key);
    for (std::string& step : key_of_step)
      if (step == key) step = source.key;
    sources.emplace(source.key, source);
  }
  return BeginSteps(target_index, std::move(built), fused_, std::move(key_of_step), sources, unit,
                    batch);
}

Result<Pipeline::Finish> Pipeline::BeginOtherFusion(int target_index, const Changed& changed,
                                                    BuiltMutant built, KernelBatch& batch) {
  std::map<std::string, const BuildSettings*> broken;  // by the first output of a step
  for (size_t i = 0; i < fused_.steps.size(); ++i)
    if (const auto found = changed.find(key_of_step_[i]); found != changed.end())
      broken[fused_.steps[i].outputs.at(0)] = &found->second.second;
  FusedGraph fused = fused_whole_;
  fused.steps.clear();
  for (const FusedStep& step : fused_whole_.steps) {
    const auto found = broken.find(step.outputs.at(0));
    if (found == broken.end()) {
      fused.steps.push_back(step);
      continue;
    }
    for (FusedStep& part : TRY(BreakFusion(step, found->second->steps, legalized_, table_, fuse_)))
      fused.steps.push_back(std::move(part));
  }
  fused = TRY(reshapes_.ReadThrough(std::move(fused)));
  std::vector<std::string> key_of_step;
  const auto sources = TRY(SourcesOf(fused, key_of_step));
  return BeginSteps(target_index, std::move(built), std::move(fused), std::move(key_of_step),
                    sources, targets_.at(target_index).unit, batch);
}

}  // namespace mutatenn
