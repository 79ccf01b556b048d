// How far a score can be trusted: intervals of 95 % over the mutants that could have been made, and
// over the images that could have been taken.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace mutatenn {

struct Interval {
  double low = 0, high = 1;
  bool operator==(const Interval&) const = default;
};

// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22,
// 1927, with z = 1.96. `n` may be a fraction (an effective size). No value when n <= 0.
std::optional<Interval> WilsonInterval(double share, double n);

// A population of which some were drawn at random without replacement.
struct Stratum {
  int64_t population = 0, drawn = 0;
  int64_t valid = 0, detected = 0;  // of those drawn
};
struct SampledScore {
  double score = 0;  // of the whole population: each stratum counts by its size
  Interval interval;
};
// The combined ratio estimator of a stratified sample, its variance by linearisation with the
// finite population correction (W. G. Cochran, "Sampling Techniques", 3rd ed., 1977, chapters 2, 5,
// 6). In it each stratum counts half a detected and half a surviving mutant more than were drawn
// (H. Jeffreys' prior): without them strata whose few draws are all alike would count as certain,
// and as few as 60 % of the intervals held the score. The interval is Wilson's for the effective
// sample size score (1 - score) / variance (E. L. Korn and B. I. Graubard, "Confidence intervals
// for proportions with small expected number of positive counts", 1998). No value when nothing
// drawn is valid.
std::optional<SampledScore> StratifiedScore(const std::vector<Stratum>& strata);

// The value that `share` of the values lie below, between the two nearest as numpy.quantile does
// it. Not of an empty list.
double Quantile(std::span<const double> sorted, double share);

// The 2.5 and 97.5 percentiles of `statistic` over resamples of `items` items with replacement. It
// gets how often each item was drawn; resamples without a value are left out. The random numbers
// are fixed, so that the same data give the same interval. No value with fewer than two items.
std::optional<Interval> BootstrapInterval(
    int items, const std::function<std::optional<double>(const std::vector<int>& times)>& statistic,
    int resamples = 1000, uint64_t seed = 1);

}  // namespace mutatenn
