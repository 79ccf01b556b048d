// A device's spread and floor to a limit, and a mutant's difference against it.
#include "judge/noise_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mutatenn {

// A handful of runs shows less than the whole spread.
constexpr double kSpreads = 4;

double NoiseLimit(double spread, double floor) {
  if (std::isnan(spread)) return std::numeric_limits<double>::infinity();
  return std::max(kSpreads * spread, floor);
}

bool KillsByNoise(const KillRule& rule, const Fate& fate) {
  if (std::isinf(rule.tolerance)) return false;
  return fate.nonfinite || !(fate.max_abs_diff <= rule.tolerance);
}

}  // namespace mutatenn
