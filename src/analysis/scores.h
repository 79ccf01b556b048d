// Verdicts to counts and to the mutation score, detected / valid, over devices and by groups of
// mutants.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "analysis/campaign_view.h"
#include "analysis/interval.h"

namespace mutatenn {

inline constexpr int kVerdicts = 9;  // of enum Verdict

struct Score {
  std::array<int, kVerdicts> counts{};  // by verdict, without the marked ones
  int detected = 0;                     // killed, crashed, timeout
  int valid = 0;                        // detected and survived: the score's n
  int marked = 0;                       // survived, but people said why it may: in no count

  int Count(Verdict verdict) const { return counts[static_cast<size_t>(verdict)]; }
  int Total() const;  // marked ones included
  // Empty when no mutant is valid: a score of nothing is not 0.
  std::optional<double> Value() const;
  std::optional<Interval> Wilson() const;
  void Add(const MutantView& mutant, Verdict verdict);
};

// Sets of mutants, by index into ModelView::mutants.
using MutantSet = std::vector<size_t>;
MutantSet AllMutants(const ModelView& model);

// `device`: index into CampaignView::devices.
Score ScoreOn(const ModelView& model, int device, const MutantSet& mutants);

// A mutant over all devices counts once: killed if some device kills it, else crashed, else
// timeout, else survived if it did on some device, else pending on some device, else what the most
// devices say.
Verdict OverallVerdict(const MutantView& mutant);
Score OverallScore(const ModelView& model, const MutantSet& mutants);

// By the rule `top1`, whatever the campaign's.
Score Top1Score(const ModelView& model, int device, const MutantSet& mutants);

// A score with all that stands beside it.
struct ScoreWithIntervals {
  Score score;
  std::optional<Interval> mutants;  // Wilson's, of those run
  std::optional<SampledScore>
      population;  // of all mutants, when max_mutants left some of these out

  // When some mutant left its buffers: the score with those counted as crashed.
  std::optional<Score> guarded;

  // Of the population where there is one.
  std::optional<double> LowerBound() const;
};
// On one device, or over all of them.
ScoreWithIntervals ScoreOf(const ModelView& model, std::optional<int> device,
                           const MutantSet& mutants);
// The score's interval over resampled images: of a full matrix, and not under acceptance limits.
std::optional<Interval> OverImages(const CampaignView& view, const ModelView& model,
                                   std::optional<int> device, const MutantSet& mutants);

struct Group {
  std::string name;
  MutantSet mutants;
};
// Each sorted by name. A mutant is in one operator's group and one category's; in one kernel's (its
// role and the first digits of its key) when all its points lie in it; in the groups of all layers
// that its points name, when it changes no other call of their kernels: graph mutants and those
// with `scope: step`.
std::vector<Group> ByOperator(const ModelView& model);
std::vector<Group> ByCategory(const ModelView& model);
std::vector<Group> ByKernel(const ModelView& model);
std::vector<Group> ByLayer(const ModelView& model);

// Over the valid mutants on a device whose runs are complete: how many the images of one class
// alone detect.
struct ClassScore {
  int64_t truth = -1;
  int images = 0;
  Score score;  // detected and valid only
};
// By class; empty without truths.
std::vector<ClassScore> ByClass(const ModelView& model, int device);

}  // namespace mutatenn
