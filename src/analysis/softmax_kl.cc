// Scores to probabilities, and two of these to the information that one has over the other.
#include <algorithm>
#include <cmath>

#include "analysis/metrics.h"
#include "base/result.h"

namespace mutatenn {

std::vector<double> Softmax(std::span<const double> scores) {
  std::vector<double> shares(scores.begin(), scores.end());
  if (shares.empty()) return shares;
  double largest = *std::max_element(shares.begin(), shares.end()), sum = 0;
  for (double& share : shares) sum += share = std::exp(share - largest);
  for (double& share : shares) share /= sum;
  return shares;
}

std::optional<double> SoftmaxKl(std::span<const double> a, std::span<const double> b) {
  CHECK(a.size() == b.size());
  if (a.empty()) return std::nullopt;
  // By logarithms of the shares, which do not vanish where the shares do.
  auto log_sum = [](std::span<const double> scores) {
    double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
    for (double score : scores) sum += std::exp(score - largest);
    return largest + std::log(sum);
  };
  double a_log = log_sum(a), b_log = log_sum(b), divergence = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double log_share = a[i] - a_log;
    divergence += std::exp(log_share) * (log_share - (b[i] - b_log));
  }
  return divergence < 0 ? 0 : divergence;  // rounding; NaN stays
}

}  // namespace mutatenn
