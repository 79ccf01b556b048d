// Lists of seconds to means, tests and effect sizes.
#include "analysis/times.h"

#include <algorithm>
#include <cmath>

#include <boost/math/distributions/students_t.hpp>

namespace mutatenn {
namespace {

double Mean(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Sum of squared deviations from `mean`.
double Squares(std::span<const double> values, double mean) {
  double squares = 0;
  for (double value : values) squares += (value - mean) * (value - mean);
  return squares;
}

}  // namespace

std::optional<TimeSummary> SummariseTimes(std::vector<double> seconds) {
  if (seconds.empty()) return std::nullopt;
  std::sort(seconds.begin(), seconds.end());
  TimeSummary summary;
  summary.count = seconds.size();
  summary.mean = Mean(seconds);
  size_t middle = seconds.size() / 2;
  summary.median =
      seconds.size() % 2 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
  if (seconds.size() > 1) {
    summary.deviation =
        std::sqrt(Squares(seconds, summary.mean) / static_cast<double>(seconds.size() - 1));
  }
  return summary;
}

std::optional<double> EtaSquared(const std::vector<std::vector<double>>& groups) {
  std::vector<double> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  if (all.empty()) return std::nullopt;
  double mean = Mean(all), total = Squares(all, mean), between = 0;
  if (!(total > 0)) return std::nullopt;
  for (const auto& group : groups) {
    if (group.empty()) continue;
    double difference = Mean(group) - mean;
    between += static_cast<double>(group.size()) * difference * difference;
  }
  return std::min(1.0, between / total);
}

std::optional<WelchTest> WelchTTest(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || b.size() < 2) return std::nullopt;
  auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  double mean_a = Mean(a), mean_b = Mean(b);
  double of_a = Squares(a, mean_a) / (n - 1) / n, of_b = Squares(b, mean_b) / (m - 1) / m;
  double variance = of_a + of_b;
  // Equal values leave rounding errors of their mean behind.
  double scale = std::max(std::abs(mean_a), std::abs(mean_b));
  if (!(variance > 1e-24 * scale * scale)) return std::nullopt;
  double freedom = variance * variance / (of_a * of_a / (n - 1) + of_b * of_b / (m - 1));
  WelchTest test;
  test.statistic = (mean_a - mean_b) / std::sqrt(variance);
  boost::math::students_t distribution(freedom);
  test.p_value = 2 * cdf(complement(distribution, std::abs(test.statistic)));
  return test;
}

std::optional<double> CohenD(std::span<const double> a, std::span<const double> b) {
  if (!WelchTTest(a, b)) return std::nullopt;
  double mean_a = Mean(a), mean_b = Mean(b);
  auto freedom = static_cast<double>(a.size() + b.size() - 2);
  return (mean_a - mean_b) / std::sqrt((Squares(a, mean_a) + Squares(b, mean_b)) / freedom);
}

std::vector<std::optional<double>> HolmAdjusted(
    const std::vector<std::optional<double>>& p_values) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p_values.size(); ++i) {
    if (p_values[i]) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return *p_values[a] < *p_values[b]; });
  std::vector<std::optional<double>> adjusted(p_values.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, *p_values[order[i]] * static_cast<double>(order.size() - i));
    adjusted[order[i]] = std::min(1.0, largest);
  }
  return adjusted;
}

}  // namespace mutatenn
