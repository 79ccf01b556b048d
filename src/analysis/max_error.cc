// Two outputs to the largest difference of one of their elements.
#include <cmath>

#include "analysis/metrics.h"
#include "base/result.h"

namespace mutatenn {

std::optional<double> MaxError(std::span<const double> a, std::span<const double> b) {
  CHECK(a.size() == b.size());
  if (a.empty()) return std::nullopt;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double difference = std::abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // NaN stays
    if (std::isnan(largest)) return largest;
  }
  return largest;
}

}  // namespace mutatenn
