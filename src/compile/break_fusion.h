// A fused step to several: its calls taken apart at one point, each part fused on its own.
#pragma once

#include <vector>

#include "compile/fuse.h"

namespace mutatenn {

// The steps that stand for `step`, of the first parts[0] of its calls, the next parts[1] and so on;
// more where FuseOps does not fuse a part whole. `legalized`: the graph that the step was fused in.
// kTvm: a part makes or takes a tuple of values.
Result<std::vector<FusedStep>> BreakFusion(const FusedStep& step, const std::vector<size_t>& parts,
                                           const Graph& legalized, const FunctionTable& table,
                                           FuseMemo& memo);

}  // namespace mutatenn
