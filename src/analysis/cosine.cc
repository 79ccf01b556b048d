// Two outputs to how far their directions differ.
#include <cmath>

#include "analysis/metrics.h"
#include "base/result.h"

namespace mutatenn {

std::optional<double> CosineDistance(std::span<const double> a, std::span<const double> b) {
  CHECK(a.size() == b.size());
  double product = 0, a_squares = 0, b_squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i];
    a_squares += a[i] * a[i];
    b_squares += b[i] * b[i];
  }
  if (a_squares == 0 || b_squares == 0) return std::nullopt;
  return 1 - product / (std::sqrt(a_squares) * std::sqrt(b_squares));
}

}  // namespace mutatenn
