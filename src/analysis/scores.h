// Verdicts to counts and to the mutation score: detected / valid.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

inline constexpr int kVerdicts = 9;  // of enum Verdict

struct Score {
  std::array<int, kVerdicts> counts{};  // by verdict
  int detected = 0;                     // killed, crashed, timeout
  int valid = 0;                        // detected and survived: the score's n

  int Count(Verdict verdict) const { return counts[static_cast<size_t>(verdict)]; }
  int Total() const;
  // Empty when no mutant is valid: a score of nothing is not 0.
  std::optional<double> Value() const;
  void Add(Verdict verdict);
};

// Mutants of one model on one device (index into CampaignView::devices).
Score ScoreOn(const ModelView& model, int device);
// The same of the mutants of one operator.
Score ScoreOn(const ModelView& model, int device, const std::string& op_id);

// A mutant over all devices counts once: killed if some device kills it, else crashed, else
// timeout, else survived if it did on some device, else pending on some device, else what the most
// devices say.
Verdict OverallVerdict(const MutantView& mutant);
Score OverallScore(const ModelView& model);
Score OverallScore(const ModelView& model, const std::string& op_id);

// Operator ids of a model's uses and mutants, sorted, each once.
std::vector<std::string> OperatorIds(const ModelView& model);

}  // namespace mutatenn
