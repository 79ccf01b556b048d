// Other settings, one lowering for each kernel, the same steps.
#include "compile/rebuild.h"

#include <algorithm>

#include "base/hash.h"
#include "compile/codegen.h"
#include "compile/pipeline.h"
#include "mutation/build_passes.h"

namespace mutatenn {

Mutant MutantFor(const Rebuilding& how) {
  Mutant mutant;
  mutant.use.id = kRebuild;
  mutant.use.parameters = {{"kernels", how.kernels},
                           {"code", how.code},
                           {"target", how.target},
                           {"dropped", how.dropped}};
  mutant.level = Level::kBuild;
  mutant.id = HashBytes(DumpJson(mutant.use.parameters));
  return mutant;
}

Result<Rebuilding> RebuildingFrom(const Mutant& mutant) {
  const Json& json = mutant.use.parameters;
  for (const char* key : {"kernels", "code", "target", "dropped"})
    if (!json.contains(key)) return Fail(Code::kInternal, "a rebuilding without ", key);
  return Rebuilding{json["kernels"].get<std::vector<std::string>>(),
                    json["code"].get<std::string>(), json["target"],
                    json["dropped"].get<std::vector<std::string>>()};
}

std::vector<std::string> CpuPasses() {
  const std::vector<LoweringPass> passes(std::begin(kLoweringPasses), std::end(kLoweringPasses));
  std::vector<std::string> names = {kNormalizePass, kSchedulePass};
  for (size_t i = 0; i < passes.size(); ++i) names.push_back(NumberedPass(passes, i));
  return names;
}

Node Pipeline::FusedFunction(const std::string& key) const {
  const auto step = std::find(key_of_step_.begin(), key_of_step_.end(), key);
  CHECK(step != key_of_step_.end(), key);
  return fused_.steps[static_cast<size_t>(step - key_of_step_.begin())].function;
}

Result<Pipeline::Finish> Pipeline::BeginRebuild(int target_index, const Mutant& mutant,
                                                KernelBatch& batch) {
  const PerTarget& target = targets_.at(target_index);
  Rebuilding how = TRY(RebuildingFrom(mutant));
  const auto drops = [&](const std::string& pass) {
    return std::find(how.dropped.begin(), how.dropped.end(), pass) != how.dropped.end();
  };
  const bool as_fused = drops(kNormalizePass), unscheduled = as_fused || drops(kSchedulePass);
  if ((unscheduled || !how.code.empty()) && target.target.accelerator())
    return Fail(Code::kTvm, "this device runs its scheduled kernels only");
  if (how.kernels.empty())
    for (const std::string& key : kernel_order_)
      if (!sources_.at(key).weight_only) how.kernels.push_back(key);

  // At level 2 nothing is scheduled, and the variants are of what is there.
  if (!how.code.empty() && unscheduled && options_.level >= 3)
    return Fail(Code::kTvm, "not together with passes that are left out before lowering");
  Json json = TRY(ParseJson(target.target.canonical, "target"));
  json.merge_patch(how.target);
  Target resolved = target.target;
  if (!how.target.empty()) resolved = TRY(ResolveTarget(DumpJson(json)));
  std::vector<LoweringPass> passes;
  const auto all = PassesFor(target.target);
  const std::vector<LoweringPass> numbered(all.begin(), all.end());
  for (size_t i = 0; i < numbered.size(); ++i)
    if (!drops(NumberedPass(numbered, i))) passes.push_back(numbered[i]);

  OtherKernels made;
  for (const std::string& key : how.kernels) {
    const auto found = sources_.find(key);
    if (found == sources_.end()) return Fail(Code::kInternal, "no kernel '", key, "'");
    KernelSource source = found->second;
    source.key += "@" + mutant.id;
    Scheduled own = target.scheduled.at(key);
    if (!how.code.empty()) own = TRY(VariantOf(how.code, found->second, target));
    if (unscheduled && how.code.empty()) own = {source.function};
    if (as_fused && how.code.empty()) own.function = FusedFunction(key);
    const Node lowered = TRY(Lower(own.function, resolved, passes));
    const auto as_made = [&]() -> Result<Scheduled> { return own; };
    made[key] = {source, own,
                 TRY(batch.Add(source, kRebuild, resolved, as_made, nullptr, lowered))};
  }
  return Finish([=, this, &mutant]() -> Result<BuiltMutant> {
    for (const auto& [key, kernel] : made)
      if (kernel.added.code->error) return *kernel.added.code->error;
    return WithOtherKernels(target_index, mutant.id, {}, made);
  });
}

// The original with these kernels in the places of its own, as a difference to it.
Result<BuiltMutant> Pipeline::WithOtherKernels(int target_index, const std::string& mutant,
                                               BuiltMutant built, const OtherKernels& made) const {
  const PerTarget& target = targets_.at(static_cast<size_t>(target_index));
  BuiltKernels kernels = target.compiled;
  std::vector<std::string> key_of_step = key_of_step_;
  for (const auto& [key, kernel] : made) {
    kernels[kernel.source.key] = {kernel.added.code->KernelOf(kernel.source),
                                  kernel.scheduled.packing, target.compiled.at(key).packer};
    for (size_t i = 0; i < key_of_step.size(); ++i)
      if (key_of_step_[i] == key && !fused_.steps[i].weight_only)
        key_of_step[i] = kernel.source.key;
  }
  built.program.mutant = mutant;
  built.program.graph_changed = true;
  built.program.edit = Difference(programs_.at(static_cast<size_t>(target_index)),
                                  TRY(Assemble(fused_, key_of_step, target, kernels)));
  built.state = "ok";
  built.ir_kind = "settings";
  return built;
}

}  // namespace mutatenn
