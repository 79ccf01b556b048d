// Counts and samples to intervals.
#include "analysis/interval.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace mutatenn {
namespace {

constexpr double kZ = 1.959963984540054;  // of 95 %, two-sided

// Variance of z = d - score * v over the `drawn` of a stratum: `detected` have 1 - score, the other
// valid ones -score, the rest 0. Half a detected and half a surviving mutant are added: a few draws
// that are all alike do not say that the whole stratum is.
double Variance(const Stratum& s, double score) {
  double drawn = static_cast<double>(s.drawn) + 1;
  double detected = static_cast<double>(s.detected) + 0.5;
  double survived = static_cast<double>(s.valid - s.detected) + 0.5;
  double mean = (detected * (1 - score) - survived * score) / drawn;
  double squares = detected * (1 - score) * (1 - score) + survived * score * score;
  return std::max(0.0, squares - drawn * mean * mean) / (drawn - 1);
}

}  // namespace

std::optional<Interval> WilsonInterval(double share, double n) {
  if (!(n > 0)) return std::nullopt;
  double z2 = kZ * kZ;
  double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  double half = kZ / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  Interval interval{std::max(0.0, centre - half), std::min(1.0, centre + half)};
  // The bounds are exact there, but for rounding.
  if (share <= 0) interval.low = 0;
  if (share >= 1) interval.high = 1;
  return interval;
}

std::optional<SampledScore> StratifiedScore(const std::vector<Stratum>& strata) {
  double detected = 0, valid = 0, squares = 0;
  for (const Stratum& s : strata) {
    if (s.drawn == 0) continue;
    double weight = static_cast<double>(s.population) / static_cast<double>(s.drawn);
    detected += weight * static_cast<double>(s.detected);
    valid += weight * static_cast<double>(s.valid);
    squares += weight * weight * static_cast<double>(s.valid);
  }
  if (valid <= 0) return std::nullopt;
  SampledScore result;
  result.score = detected / valid;
  double variance = 0;
  for (const Stratum& s : strata) {
    if (s.drawn == 0) continue;
    auto n = static_cast<double>(s.drawn), population = static_cast<double>(s.population);
    variance += population * population * (1 - n / population) * Variance(s, result.score) / n;
  }
  variance /= valid * valid;
  // All alike, or all drawn: Wilson's interval of as many mutants as those seen are worth with
  // their weights (L. Kish, "Survey Sampling", 1965).
  double binomial = result.score * (1 - result.score);
  double effective = variance > 0 && binomial > 0 ? binomial / variance : valid * valid / squares;
  result.interval = *WilsonInterval(result.score, effective);
  return result;
}

double Quantile(std::span<const double> sorted, double share) {
  double at = share * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<size_t>(at);
  size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::optional<Interval> BootstrapInterval(
    int items, const std::function<std::optional<double>(const std::vector<int>& times)>& statistic,
    int resamples, uint64_t seed) {
  if (items < 2) return std::nullopt;
  // Not std::uniform_int_distribution: its numbers differ between standard libraries.
  std::mt19937_64 random(seed);
  std::vector<double> values;
  std::vector<int> times(static_cast<size_t>(items));
  for (int resample = 0; resample < resamples; ++resample) {
    std::fill(times.begin(), times.end(), 0);
    for (int draw = 0; draw < items; ++draw)
      ++times[static_cast<size_t>(random() % static_cast<uint64_t>(items))];
    if (auto value = statistic(times)) values.push_back(*value);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Interval{Quantile(values, 0.025), Quantile(values, 0.975)};
}

}  // namespace mutatenn
