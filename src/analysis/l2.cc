// Two outputs to their Euclidean distance.
#include <cmath>

#include "analysis/metrics.h"
#include "base/result.h"

namespace mutatenn {

std::optional<double> L2Distance(std::span<const double> a, std::span<const double> b) {
  CHECK(a.size() == b.size());
  if (a.empty()) return std::nullopt;
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(squares);
}

}  // namespace mutatenn
