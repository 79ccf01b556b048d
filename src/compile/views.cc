// One walk in program order: a reshape is remembered as a view, later inputs are looked up.
#include "compile/views.h"

#include <algorithm>

#include "tvm/node.h"
#include "tvm/symbols.h"

namespace mutatenn {
bool ReshapeMemo::IsReshape(const FusedStep& step) {
  if (step.inputs.size() != 1 || step.outputs.size() != 1) return false;
  auto [entry, added] = known_.try_emplace(step.function.id(), step.function, false);
  if (added) entry->second.second = Call(global::kHasReshapePattern, step.function).Int() != 0;
  return entry->second.second;
}

Result<FusedGraph> ReshapeMemo::ReadThrough(FusedGraph fused) {
  struct Shown {
    std::string value;
    std::vector<int64_t> shape;
  };
  std::map<std::string, Shown> views;
  std::vector<FusedStep> steps;
  return Guard("looking for reshapes", [&] {
    for (FusedStep& step : fused.steps) {
      for (size_t i = 0; i < step.inputs.size(); ++i) {
        auto view = views.find(step.inputs[i]);
        if (view == views.end()) continue;
        step.inputs[i] = view->second.value;
        step.views[static_cast<int>(i)] = view->second.shape;
      }
      const bool output = std::find(fused.outputs.begin(), fused.outputs.end(), step.outputs[0]) !=
                          fused.outputs.end();
      if (output || !IsReshape(step)) {
        steps.push_back(std::move(step));
        continue;
      }
      views[step.outputs[0]] = {step.inputs[0], step.output_types[0].shape};
    }
    fused.steps = std::move(steps);
    return std::move(fused);
  });
}

}  // namespace mutatenn
