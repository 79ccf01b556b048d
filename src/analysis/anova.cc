// Groups of numbers to F and p: variance between the groups over variance inside them, against
// Fisher's F distribution.
#include "analysis/anova.h"

#include <cmath>
#include <limits>

#include <boost/math/distributions/fisher_f.hpp>

namespace mutatenn {

std::optional<Anova> OneWayAnova(const std::vector<std::vector<double>>& groups) {
  double total = 0, count = 0;
  for (const auto& group : groups) {
    if (group.empty()) return std::nullopt;
    for (double value : group) total += value;
    count += static_cast<double>(group.size());
  }
  double degrees_between = static_cast<double>(groups.size()) - 1;
  double degrees_within = count - static_cast<double>(groups.size());
  if (degrees_between < 1 || degrees_within < 1) return std::nullopt;
  double grand_mean = total / count, between = 0, within = 0;
  for (const auto& group : groups) {
    double mean = 0;
    for (double value : group) mean += value;
    mean /= static_cast<double>(group.size());
    between += static_cast<double>(group.size()) * (mean - grand_mean) * (mean - grand_mean);
    for (double value : group) within += (value - mean) * (value - mean);
  }
  if (!std::isfinite(between) || !std::isfinite(within)) return std::nullopt;
  if (within == 0) {
    if (between == 0) return std::nullopt;
    return Anova{std::numeric_limits<double>::infinity(), 0};
  }
  double f = (between / degrees_between) / (within / degrees_within);
  boost::math::fisher_f_distribution<double> distribution(degrees_between, degrees_within);
  return Anova{f, boost::math::cdf(boost::math::complement(distribution, f))};
}

}  // namespace mutatenn
