// Two devices' results of the same mutants, image by image, to counts and lists of ids.
#include "analysis/compare.h"

#include "analysis/metrics.h"

namespace mutatenn {
namespace {

struct Sums {
  double tau = 0, levenshtein = 0;
  int taus = 0;
};

void CompareMutant(const MutantView& mutant, DeviceComparison& comparison, Sums& sums) {
  const DeviceResult& base = mutant.devices[static_cast<size_t>(comparison.base)];
  const DeviceResult& evaluated = mutant.devices[static_cast<size_t>(comparison.evaluated)];
  Verdict a = base.judgement.verdict, b = evaluated.judgement.verdict;
  auto known = [](Verdict v) { return v != Verdict::kPending && v != Verdict::kIgnored; };
  if (known(a) && known(b)) {
    ++comparison.mutants_compared;
    if (a != b) comparison.verdicts_differ.push_back(mutant.stored.id);
  }
  bool differs = false;
  for (size_t i = 0, j = 0; i < base.fates.size() && j < evaluated.fates.size();) {
    if (base.images[i] != evaluated.images[j]) {
      base.images[i] < evaluated.images[j] ? ++i : ++j;
      continue;
    }
    const Fate& first = base.fates[i++];
    const Fate& second = evaluated.fates[j++];
    if (first.ending != Ending::kOk || second.ending != Ending::kOk) continue;
    ++comparison.runs_compared;
    if (Top1Differs(first.top, second.top)) {
      ++comparison.runs_differing;
      differs = true;
    }
    sums.levenshtein += LevenshteinDistance(first.top, second.top);
    if (auto tau = RankTau(first.top, second.top)) {
      sums.tau += *tau;
      ++sums.taus;
    }
  }
  if (differs) comparison.labels_differ.push_back(mutant.stored.id);
}

}  // namespace

std::vector<DeviceComparison> CompareDevices(const CampaignView& view, const ModelView& model) {
  std::vector<DeviceComparison> comparisons;
  int devices = static_cast<int>(view.devices.size());
  for (int base = 0; base < devices; ++base) {
    for (int evaluated = base + 1; evaluated < devices; ++evaluated) {
      DeviceComparison comparison;
      comparison.base = base;
      comparison.evaluated = evaluated;
      for (size_t image = 0; image < model.images.size(); ++image) {
        const auto& a = model.originals[static_cast<size_t>(base)][image];
        const auto& b = model.originals[static_cast<size_t>(evaluated)][image];
        if (!a || !b) continue;
        ++comparison.originals_compared;
        comparison.originals_differing += Top1Differs(a->top, b->top);
      }
      Sums sums;
      for (const MutantView& mutant : model.mutants) CompareMutant(mutant, comparison, sums);
      if (sums.taus > 0) comparison.mean_rank_tau = sums.tau / sums.taus;
      if (comparison.runs_compared > 0) {
        comparison.mean_levenshtein = sums.levenshtein / comparison.runs_compared;
      }
      comparisons.push_back(std::move(comparison));
    }
  }
  return comparisons;
}

}  // namespace mutatenn
