// Two outputs and the truth to the relative difference of their errors.
#include <cmath>

#include "analysis/metrics.h"
#include "base/result.h"

namespace mutatenn {

std::optional<double> DMad(std::span<const double> a, std::span<const double> b, int64_t truth) {
  CHECK(a.size() == b.size());
  if (truth < 0 || truth >= static_cast<int64_t>(a.size())) return std::nullopt;
  auto deviation = [&](std::span<const double> scores) {
    std::vector<double> shares = Softmax(scores);
    double sum = 0;
    for (size_t i = 0; i < shares.size(); ++i)
      sum += std::abs(shares[i] - (static_cast<int64_t>(i) == truth ? 1 : 0));
    return sum / static_cast<double>(shares.size());
  };
  double of_a = deviation(a), of_b = deviation(b);
  if (of_a + of_b == 0) return 0;
  return std::abs(of_a - of_b) / (of_a + of_b);
}

}  // namespace mutatenn
