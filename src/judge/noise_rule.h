// The rule `noise`: a difference counts only beyond what the device itself does, from run to run
// and by rounding.
#pragma once

#include <vector>

#include "judge/judge.h"

namespace mutatenn {

// The largest difference that says nothing, in raw outputs. `spread`: of an output between the
// recorded runs of the original, NaN where one of them was not finite; `floor`: by legal rounding,
// 0 = not known. Infinite where the original itself is not always finite.
double NoiseLimit(double spread, double floor);

// `rule.tolerance` is the limit.
bool KillsByNoise(const KillRule& rule, const Fate& fate);

}  // namespace mutatenn
