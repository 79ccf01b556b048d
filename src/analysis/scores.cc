// Counting verdicts, per device and over all of them.
#include "analysis/scores.h"

#include <set>

namespace mutatenn {

int Score::Total() const {
  int total = 0;
  for (int count : counts) total += count;
  return total;
}

std::optional<double> Score::Value() const {
  if (valid == 0) return std::nullopt;
  return static_cast<double>(detected) / valid;
}

void Score::Add(Verdict verdict) {
  ++counts[static_cast<size_t>(verdict)];
  detected += Detected(verdict);
  valid += Valid(verdict);
}

Score ScoreOn(const ModelView& model, int device) {
  Score score;
  for (const MutantView& mutant : model.mutants) {
    score.Add(mutant.devices[static_cast<size_t>(device)].judgement.verdict);
  }
  return score;
}

Score ScoreOn(const ModelView& model, int device, const std::string& op_id) {
  Score score;
  for (const MutantView& mutant : model.mutants) {
    if (mutant.stored.op_id != op_id) continue;
    score.Add(mutant.devices[static_cast<size_t>(device)].judgement.verdict);
  }
  return score;
}

Verdict OverallVerdict(const MutantView& mutant) {
  std::array<int, kVerdicts> counts{};
  for (const DeviceResult& result : mutant.devices) {
    ++counts[static_cast<size_t>(result.judgement.verdict)];
  }
  auto count = [&](Verdict verdict) { return counts[static_cast<size_t>(verdict)]; };
  for (Verdict verdict : {Verdict::kKilled, Verdict::kCrashed, Verdict::kTimeout,
                          Verdict::kSurvived, Verdict::kPending}) {
    if (count(verdict) > 0) return verdict;
  }
  Verdict most = Verdict::kPending;
  for (Verdict verdict :
       {Verdict::kEquivalent, Verdict::kStillborn, Verdict::kUnstable, Verdict::kIgnored}) {
    if (count(verdict) > count(most)) most = verdict;
  }
  return most;
}

Score OverallScore(const ModelView& model) {
  Score score;
  for (const MutantView& mutant : model.mutants) score.Add(OverallVerdict(mutant));
  return score;
}

Score OverallScore(const ModelView& model, const std::string& op_id) {
  Score score;
  for (const MutantView& mutant : model.mutants) {
    if (mutant.stored.op_id == op_id) score.Add(OverallVerdict(mutant));
  }
  return score;
}

std::vector<std::string> OperatorIds(const ModelView& model) {
  std::set<std::string> ids;
  for (const StoredOperatorUse& use : model.uses) ids.insert(use.op_id);
  for (const MutantView& mutant : model.mutants) ids.insert(mutant.stored.op_id);
  return {ids.begin(), ids.end()};
}

}  // namespace mutatenn
