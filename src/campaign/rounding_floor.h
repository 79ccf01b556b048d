// How far apart two correct computations of one step may be on equal inputs.
#pragma once

#include <vector>

#include "program/program.h"

namespace mutatenn {

// An absolute bound for the outputs of `steps` (one step, or several that are one elsewhere) whose
// largest magnitude is `scale`: gamma_n * scale with gamma_n = n u / (1 - n u), u the unit roundoff
// of the coarsest floating-point type that the steps read or write and n the terms that are summed
// for one output element, and kOtherOperations for what is fused around the sum. 0 where everything
// is of integers. It is the classical bound with the sum of magnitudes taken as `scale`: generous
// for random signs, too small where nearly all of a sum cancels.
double RoundingFloor(const Program& program, const std::vector<int>& steps, double scale);

inline constexpr int kOtherOperations = 16;

}  // namespace mutatenn
