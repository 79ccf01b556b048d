// A mutant's program laid over the original's.
#include "worker/plan.h"

#include <algorithm>

namespace mutatenn {
namespace {

bool SameNames(const Program& a, const std::vector<int>& values, const Program& b,
               const std::vector<int>& others) {
  return std::equal(values.begin(), values.end(), others.begin(), others.end(), [&](int x, int y) {
    const Value& left = a.values[static_cast<size_t>(x)];
    const Value& right = b.values[static_cast<size_t>(y)];
    return left.name == right.name && left.type == right.type;
  });
}

bool Unchanged(const Original& original, const Program& mutant, const Step& step) {
  int first = original.ValueNamed(mutant.values[static_cast<size_t>(step.outputs[0])].name);
  int producer = first < 0 ? -1 : original.Producer(first);
  if (producer < 0) return false;
  const Program& program = original.program();
  const Step& other = program.steps[static_cast<size_t>(producer)];
  return SameNames(mutant, step.outputs, program, other.outputs) &&
         SameNames(mutant, step.inputs, program, other.inputs) && step.views == other.views &&
         SameCode(mutant.kernels.at(step.kernel), program.kernels.at(other.kernel));
}

}  // namespace

Result<MutantPlan> MakePlan(const Original& original, const MutantProgram& mutant) {
  MutantPlan plan;
  plan.typed = TRY(MakeTyped(TRY(mutant.Apply(original.program()))));
  const Program& program = plan.program();
  TRY(Validate(program));
  if (program.inputs.size() != 1 || program.outputs.size() != original.program().outputs.size())
    return Fail(Code::kInvalidInput, "mutant ", mutant.mutant,
                " has other inputs or outputs than the original");
  size_t count = program.values.size();
  plan.original_of.assign(count, -1);
  for (size_t v = 0; v < count; ++v) {
    int found = original.ValueNamed(program.values[v].name);
    if (found >= 0 &&
        original.program().values[static_cast<size_t>(found)].type == program.values[v].type)
      plan.original_of[v] = found;
  }
  if (plan.original_of[static_cast<size_t>(program.inputs[0])] != original.input())
    return Fail(Code::kInvalidInput, "mutant ", mutant.mutant,
                " has another input than the original");
  int steps = static_cast<int>(program.steps.size());
  plan.last_reader.assign(count, -1);
  std::vector<bool> depends(count);  // on the image
  depends[static_cast<size_t>(program.inputs[0])] = true;
  for (int s = 0; s < steps; ++s) {
    const Step& step = program.steps[static_cast<size_t>(s)];
    bool changed = !Unchanged(original, program, step);
    plan.guarded.push_back(std::find(mutant.guarded.begin(), mutant.guarded.end(), step.kernel) !=
                           mutant.guarded.end());
    for (int value : step.inputs) {
      plan.last_reader[static_cast<size_t>(value)] = s;
      if (step.weight_only && depends[static_cast<size_t>(value)])
        return Fail(Code::kInvalidInput, "mutant ", mutant.mutant, ": step '", step.name,
                    "' is marked weight_only but depends on the image");
    }
    for (int value : step.outputs) depends[static_cast<size_t>(value)] = !step.weight_only;
    // A weight-only step runs before there is an image to compare with.
    for (int value : step.outputs) {
      int& counterpart = plan.original_of[static_cast<size_t>(value)];
      if (step.weight_only && counterpart >= 0 && original.Constant(counterpart) == nullptr)
        counterpart = -1;
      changed = changed || counterpart < 0;
    }
    plan.changed.push_back(changed);
    if (changed && !step.weight_only) plan.last_changed = s;
  }
  for (int value : program.outputs) plan.last_reader[static_cast<size_t>(value)] = steps;
  return plan;
}

}  // namespace mutatenn
