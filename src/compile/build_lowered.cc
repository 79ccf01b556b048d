// Mutants of lowered code: points in what each target's lowering makes of the original's kernels,
// and kernels lowered, mutated and compiled. A mutant has points on one target, or, with positions,
// on each; where it has none it is ignored.
#include "base/diff.h"
#include "compile/codegen.h"
#include "compile/pipeline.h"
#include "program/program.h"

namespace mutatenn {

Result<KernelSubject> Pipeline::LoweredSubject(PerTarget& target, const KernelSource& source) {
  Node& lowered = target.lowered_code[source.key];
  if (!lowered) lowered = TRY(Lower(target.scheduled.at(source.key).function, target.target));
  KernelSubject subject = {source.key, source.role, source.layers, lowered};
  subject.target = target.target.label;
  return subject;
}

Result<std::vector<MutationPoint>> Pipeline::PointsInLowered(const MutationOperator& op,
                                                             const Json& parameters) {
  std::vector<MutationPoint> points;
  for (PerTarget& target : targets_) {
    std::vector<KernelSubject> kernels;
    for (const std::string& key : kernel_order_) {
      const KernelSource& source = sources_.at(key);
      if (!source.weight_only) kernels.push_back(TRY(LoweredSubject(target, source)));
    }
    const auto found = TRY(EnumerateKernels(op, parameters, kernels));
    points.insert(points.end(), found.begin(), found.end());
  }
  return points;
}

Result<Pipeline::Finish> Pipeline::BeginLowered(int target_index, const Mutant& mutant,
                                                KernelBatch& batch) {
  PerTarget& target = targets_.at(target_index);
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr, mutant.use.id);
  std::map<std::string, std::vector<MutationPoint>> points;  // by kernel, of this target
  for (const MutationPoint& point : mutant.points)
    if (point.target == target.target.label) points[point.kernel].push_back(point);
  if (points.empty())
    return Finish([&mutant]() -> Result<BuiltMutant> {
      BuiltMutant built;
      built.ir_kind = "tir";
      built.program.mutant = mutant.id;
      built.state = "ignored";
      built.cached = true;
      built.reason = "changes the code of another target";
      return built;
    });
  std::vector<MutatedKernel> kernels;
  std::string diff;
  for (const std::string& key : kernel_order_) {
    const auto own = points.find(key);
    if (own == points.end()) continue;
    const KernelSource& source = sources_.at(key);
    const KernelSubject subject = TRY(LoweredSubject(target, source));
    const Node mutated =
        TRY(ApplyToKernel(*op, mutant.use.parameters, subject, subject.function, own->second));
    diff += "--- kernel " + source.role + " " + key + "\n+++ mutant " + mutant.id + "\n" +
            TRY(Guard("printing",
                      [&] { return UnifiedDiff(Script(subject.function), Script(mutated)); }));
    std::string mutation = mutant.use.id + " " + DumpJson(mutant.use.parameters);
    for (const MutationPoint& point : own->second)
      mutation += " " + std::to_string(point.match) + ":" + std::to_string(point.variant);
    const OriginalKernel original = target.Original(key);
    const auto scheduled = [&]() -> Result<Scheduled> { return target.scheduled.at(key); };
    kernels.push_back(
        {&source, "",
         TRY(batch.Add(source, mutation, target.target, scheduled, &original, mutated))});
  }
  return FinishKernels(target_index, mutant, kernels, diff);
}

}  // namespace mutatenn
