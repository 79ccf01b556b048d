// The same kernel with other roundings, each as legal as the original's: products rounded before
// they are added, or added unrounded (a fused multiply-add), or all of it in float64. What differs
// between them is rounding and nothing else. Everything throws what TVM throws; use inside Guard.
#pragma once

#include "tvm/node.h"

namespace mutatenn {

// `function`: a PrimFunc of blocks, scheduled or not. No compiler contracts what is rounded here.
Node WithRoundedProducts(const Node& function);
// a * b + c computed in float64 and rounded once, as fused multiply-add does (but for one in 2^29).
Node WithFusedProducts(const Node& function);
// The same by OpenCL's fma, exactly, where the device need not have float64.
Node WithFmaCalls(const Node& function);
// Parameters stay float32; what lies between them is float64. Gives up where an output is read back
// while it is made (WithLocalOutputs helps) or where an intrinsic has no float64 form.
Node InFloat64(const Node& function);
// An unscheduled function whose outputs are written once, when they are done.
Node WithLocalOutputs(const Node& function);

}  // namespace mutatenn
