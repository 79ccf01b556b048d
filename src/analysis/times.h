// Measured times: what they are like, and whether two devices' differ more than chance explains.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace mutatenn {

struct TimeSummary {
  size_t count = 0;
  double mean = 0, median = 0;
  std::optional<double> deviation;  // standard deviation of the sample; not of one value
};
// No value of an empty list.
std::optional<TimeSummary> SummariseTimes(std::vector<double> seconds);

// Share of all variance that lies between the groups, in [0, 1]: the effect size of OneWayAnova. No
// value when nothing varies.
std::optional<double> EtaSquared(const std::vector<std::vector<double>>& groups);

struct WelchTest {
  double statistic = 0;  // t
  double p_value = 1;    // two-sided
};
// B. L. Welch, "The generalization of Student's problem when several different population variances
// are involved", Biometrika 34, 1947. No value with fewer than two in a group or when neither
// varies.
std::optional<WelchTest> WelchTTest(std::span<const double> a, std::span<const double> b);

// Difference of the means in units of the pooled standard deviation (J. Cohen, 1988); no value
// where WelchTTest has none.
std::optional<double> CohenD(std::span<const double> a, std::span<const double> b);

// S. Holm, "A simple sequentially rejective multiple test procedure", 1979: each p-value as it
// counts among all of them, at most 1. Those without a value are no tests.
std::vector<std::optional<double>> HolmAdjusted(const std::vector<std::optional<double>>& p_values);

}  // namespace mutatenn
