// What a run did to its user, and how bad it was: a crash is seen, a wrong label is believed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

enum class Effect {
  kNone,    // the original's label
  kSilent,  // another one, and the output is finite
  kLoud,    // crashed, timed out, NaN or Inf, or hardly more than one label (degenerate)
};
const char* EffectName(Effect effect);
// `outcome` is of `result`, which is of `device`.
Effect EffectOf(const ModelView& model, size_t device, const DeviceResult& result,
                const Outcome& outcome);

// The configuration's `images.groups` and `severity` for one model.
class SeverityTable {
 public:
  // Without either: every mislabel weighs 1.
  static SeverityTable Of(const CampaignView& view, const ModelView& model);
  // Of taking class `from` for class `to`; the first row that fits counts, 1 when none does.
  double Weight(int64_t from, int64_t to) const;
  // The class's first group, else its number.
  std::string Name(int64_t label) const;

 private:
  struct Row {
    std::string from, to;  // a group, a class number, or "*"
    double weight = 1;
  };
  bool Fits(const std::string& name, int64_t label) const;
  std::map<int64_t, std::vector<std::string>> groups_;  // of a class
  std::vector<Row> rows_;
};

// A mutant with silent runs on a device, and the worst of them (the earlier image of equals).
struct SilentMutant {
  size_t mutant = 0;         // index into ModelView::mutants
  int images = 0;            // with a silent run
  double total = 0;          // of all their weights
  double weight = 0;         // of the worst
  int image = 0;             // index into ModelView::images
  int64_t from = 0, to = 0;  // the original's label there, and the mutant's
};
// Worst first: by weight, then by total, then in the view's order.
std::vector<SilentMutant> RankSilent(const ModelView& model, size_t device,
                                     const SeverityTable& table);

// How many of the judged runs had each effect, by index of enum Effect.
std::vector<int> CountEffects(const ModelView& model, size_t device);

}  // namespace mutatenn
