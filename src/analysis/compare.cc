// Two devices' results of the same mutants, image by image, to counts and lists of ids.
#include "analysis/compare.h"

#include <algorithm>

#include "analysis/campaign_view.h"
#include "analysis/metrics.h"

namespace mutatenn {

void DeviceComparer::Mean::Add(const std::optional<double>& value) {
  if (!value) return;
  sum += *value;
  ++count;
}

std::optional<double> DeviceComparer::Mean::Value() const {
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

DeviceComparer::DeviceComparer(const ModelView& model, size_t devices, int top_k)
    : model_(model), top_k_(top_k) {
  for (size_t base = 0; base < devices; ++base) {
    for (size_t evaluated = base + 1; evaluated < devices; ++evaluated) {
      DeviceComparison& comparison = pairs_.emplace_back().comparison;
      comparison.base = static_cast<int>(base);
      comparison.evaluated = static_cast<int>(evaluated);
      for (size_t image = 0; image < model.images.size(); ++image) {
        const auto& a = model.originals[base][image];
        const auto& b = model.originals[evaluated][image];
        if (!a || !b) continue;
        ++comparison.originals_compared;
        comparison.originals_differing += Top1Differs(a->top, b->top);
      }
    }
  }
}

void DeviceComparer::Add(size_t mutant, const std::vector<DeviceFates>& devices) {
  for (Pair& pair : pairs_) {
    const DeviceFates& base = devices[static_cast<size_t>(pair.comparison.base)];
    const DeviceFates& evaluated = devices[static_cast<size_t>(pair.comparison.evaluated)];
    bool differs = false;
    for (size_t i = 0, j = 0; i < base.fates.size() && j < evaluated.fates.size();) {
      if (base.images[i] != evaluated.images[j]) {
        base.images[i] < evaluated.images[j] ? ++i : ++j;
        continue;
      }
      int image = base.images[i];
      const Fate& first = base.fates[i++];
      const Fate& second = evaluated.fates[j++];
      if (first.ending != Ending::kOk || second.ending != Ending::kOk) continue;
      ++pair.comparison.runs_compared;
      if (Top1Differs(first.top, second.top)) {
        ++pair.comparison.runs_differing;
        differs = true;
      }
      CompareRun(pair, first, second, model_.images[static_cast<size_t>(image)].truth);
    }
    if (differs) pair.mutants.push_back(mutant);
  }
}

void DeviceComparer::CompareRun(Pair& pair, const Fate& first, const Fate& second,
                                int64_t truth) const {
  // Most lists agree, and millions are compared.
  bool same = std::equal(first.top.begin(), first.top.end(), second.top.begin(), second.top.end(),
                         [](const Ranked& a, const Ranked& b) { return a.label == b.label; });
  pair.levenshtein.Add(same ? 0.0 : LevenshteinDistance(first.top, second.top));
  pair.tau.Add(same && first.top.size() > 1 ? std::optional(1.0) : RankTau(first.top, second.top));
  if (static_cast<int>(first.top.size()) >= top_k_) return;
  auto a = WholeOutput(first.top, first.top.size()), b = WholeOutput(second.top, first.top.size());
  if (!a || !b) return;
  pair.l2.Add(L2Distance(*a, *b));
  pair.cosine.Add(CosineDistance(*a, *b));
  pair.kl.Add(SoftmaxKl(*a, *b));
  pair.d_mad.Add(DMad(*a, *b, truth));
  double error = MaxError(*a, *b).value_or(0);
  std::optional<double>& largest = pair.comparison.max_error;
  if (!largest || !(error <= *largest)) largest = error;
}

std::vector<DeviceComparison> DeviceComparer::Finish() && {
  std::vector<DeviceComparison> comparisons;
  for (Pair& pair : pairs_) {
    DeviceComparison& comparison = pair.comparison;
    auto known = [](Verdict v) {
      return v != Verdict::kPending && v != Verdict::kIgnored && v != Verdict::kUnstable;
    };
    for (const MutantView& mutant : model_.mutants) {
      Verdict a = mutant.devices[static_cast<size_t>(comparison.base)].judgement.verdict;
      Verdict b = mutant.devices[static_cast<size_t>(comparison.evaluated)].judgement.verdict;
      if (!known(a) || !known(b)) continue;
      ++comparison.mutants_compared;
      if (a != b) comparison.verdicts_differ.push_back(mutant.stored.id);
    }
    std::sort(pair.mutants.begin(), pair.mutants.end());
    for (size_t mutant : pair.mutants)
      comparison.labels_differ.push_back(model_.mutants[mutant].stored.id);
    comparison.mean_rank_tau = pair.tau.Value();
    comparison.mean_levenshtein = pair.levenshtein.Value();
    comparison.mean_l2 = pair.l2.Value();
    comparison.mean_cosine = pair.cosine.Value();
    comparison.mean_kl = pair.kl.Value();
    comparison.mean_d_mad = pair.d_mad.Value();
    comparisons.push_back(std::move(comparison));
  }
  return comparisons;
}

}  // namespace mutatenn
