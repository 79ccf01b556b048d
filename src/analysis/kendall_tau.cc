// Two rankings to their rank correlation, ties counted as tau-b counts them.
#include <algorithm>
#include <cmath>

#include "analysis/metrics.h"
#include "base/result.h"

namespace mutatenn {

std::optional<double> KendallTauB(std::span<const double> x, std::span<const double> y) {
  CHECK(x.size() == y.size());
  int64_t agreement = 0, untied_x = 0, untied_y = 0;  // pairs: concordant - discordant, not tied
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = i + 1; j < x.size(); ++j) {
      int dx = (x[i] < x[j]) - (x[i] > x[j]);
      int dy = (y[i] < y[j]) - (y[i] > y[j]);
      agreement += dx * dy;
      untied_x += dx != 0;
      untied_y += dy != 0;
    }
  }
  if (untied_x == 0 || untied_y == 0) return std::nullopt;
  return static_cast<double>(agreement) /
         std::sqrt(static_cast<double>(untied_x) * static_cast<double>(untied_y));
}

std::optional<double> RankTau(const std::vector<Ranked>& a, const std::vector<Ranked>& b) {
  auto rank_in = [](const std::vector<Ranked>& list, int64_t label) {
    auto at = std::find_if(list.begin(), list.end(),
                           [&](const Ranked& entry) { return entry.label == label; });
    return static_cast<double>(at - list.begin() + 1);  // absent: the place after the last
  };
  std::vector<int64_t> labels;
  for (const Ranked& entry : a) labels.push_back(entry.label);
  for (const Ranked& entry : b) {
    if (rank_in(a, entry.label) > static_cast<double>(a.size())) labels.push_back(entry.label);
  }
  std::vector<double> ranks_a, ranks_b;
  for (int64_t label : labels) {
    ranks_a.push_back(rank_in(a, label));
    ranks_b.push_back(rank_in(b, label));
  }
  return KendallTauB(ranks_a, ranks_b);
}

}  // namespace mutatenn
