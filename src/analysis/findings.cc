// Fates of mutants of level build against the tolerance of their image.
#include "analysis/findings.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mutatenn {
namespace {

double ToleranceOf(const OriginalResult& original) {
  double largest = 0;
  for (const Ranked& ranked : original.top)
    if (std::isfinite(ranked.score)) largest = std::max(largest, std::abs(ranked.score));
  return kFindingTolerance * largest;
}

}  // namespace

std::vector<Finding> FindingsOf(const ModelView& model) {
  std::vector<Finding> findings;
  for (size_t m = 0; m < model.mutants.size(); ++m) {
    if (model.mutants[m].stored.level != "build") continue;
    const std::vector<DeviceResult>& devices = model.mutants[m].devices;
    for (size_t d = 0; d < devices.size(); ++d) {
      Finding worst;
      double excess = 0;
      for (size_t i = 0; i < devices[d].fates.size(); ++i) {
        const Fate& fate = devices[d].fates[i];
        const auto& original = model.originals[d][static_cast<size_t>(devices[d].images[i])];
        if (fate.ending != Ending::kOk || !original) continue;
        constexpr double kBeyondAll = std::numeric_limits<double>::infinity();
        const double tolerance = ToleranceOf(*original);
        const double difference = fate.nonfinite ? kBeyondAll : fate.max_abs_diff;
        if (difference <= tolerance) continue;
        const double beyond = tolerance > 0 ? difference / tolerance : kBeyondAll;
        if (beyond <= excess) continue;
        excess = beyond;
        worst = {m, d, fate.image, difference, tolerance};
      }
      if (excess > 0) findings.push_back(worst);
    }
  }
  return findings;
}

}  // namespace mutatenn
