// Labels of a mutant's runs and of the original's to a 2 x 2 table, and that to a probability.
#include "judge/fisher_rule.h"

#include <algorithm>

#include <fmt/format.h>
#include <boost/math/distributions/hypergeometric.hpp>

namespace mutatenn {

double FisherExact(int killing, int runs, int original_killing, int original_runs) {
  const int all_killing = killing + original_killing, all = runs + original_runs;
  // Fewer than this many cannot be drawn; the distribution has no value below.
  const int least = std::max(0, runs + all_killing - all);
  if (runs == 0 || original_runs == 0 || killing <= least) return 1;
  boost::math::hypergeometric_distribution<double> drawn(
      static_cast<unsigned>(all_killing), static_cast<unsigned>(runs), static_cast<unsigned>(all));
  return cdf(complement(drawn, static_cast<unsigned>(killing - 1)));
}

LimitCheck FisherCheck(const Evidence& evidence, bool complete) {
  int killing = 0, runs = 0, original_killing = 0, original_runs = 0;
  for (size_t i = 0; i < evidence.fates.size(); ++i) {
    ++runs;
    killing += KilledByTop1(evidence.originals[i], evidence.fates[i].top);
    if (i < evidence.again.size()) {
      runs += evidence.again[i].runs;
      killing += evidence.again[i].other_labels;
    }
    if (i >= evidence.repeats.size()) continue;
    original_runs += evidence.repeats[i].runs;
    original_killing += evidence.repeats[i].other_labels;
  }
  if (!complete) return {};
  if (original_runs == 0) return {std::nullopt, "the original was run once only (`repeats`)"};
  const double p = FisherExact(killing, runs, original_killing, original_runs);
  return {p < evidence.rule.significance,
          fmt::format("another label on {} of {} runs, the original's on {} of {}, p = {:.3g}",
                      killing, runs, original_killing, original_runs, p)};
}

}  // namespace mutatenn
