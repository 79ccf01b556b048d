// A mutant's fate over all devices, over the images that all of them ran: killed everywhere, on
// some only, nowhere; and where the devices' labels differ most.
#pragma once

#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

struct Spread {
  enum class Kind {
    kEverywhere,
    kSome,         // on some devices, but not on all
    kNowhere,      // compared, and killed on none
    kNotCompared,  // valid on fewer than two devices, or no image ran on all that it is valid on
  };
  Kind kind = Kind::kNotCompared;
  std::vector<int> compared;  // devices on which it is valid
  std::vector<int> killed;    // of these, where some image kills it
  int images = 0;             // that ran on all of these
  int disagreeing = 0;        // of the images: not one and the same label (or end) on all devices
  bool verdicts_differ = false;
};
const char* SpreadName(Spread::Kind kind);
Spread SpreadOf(const MutantView& mutant);
std::vector<Spread> SpreadsOf(const ModelView& model);  // by mutant

struct Disagreement {
  size_t mutant = 0;  // index into the spreads, as into ModelView::mutants
  Spread spread;
};
// Mutants on which devices disagree, by label or verdict: first those whose verdicts differ, then
// by share of images, then in the view's order.
std::vector<Disagreement> Disagreements(const std::vector<Spread>& spreads);

}  // namespace mutatenn
