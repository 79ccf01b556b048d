// The two best scores of an output to how far apart they are.
#include <cmath>
#include <limits>

#include "judge/judge.h"

namespace mutatenn {

double Margin(const std::vector<Ranked>& top) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (top.size() < 2) return kInfinity;
  double first = top[0].score, second = top[1].score;
  if (std::isnan(first) || first == second) return 0;  // two NaN, or two equal (infinities too)
  if (std::isnan(second)) return kInfinity;
  return first - second;
}

}  // namespace mutatenn
