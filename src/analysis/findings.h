// Findings about the compiler: mutants of level build run the compiler in another way over the same
// network, so outputs that differ by more than rounding are the compiler's doing.
#pragma once

#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

// Of the largest score, in absolute value, that the original's top list holds for the image. Legal
// rounding (fused multiply-add, another order of a sum) makes 1e-5; see the design, section 6.
inline constexpr double kFindingTolerance = 1e-3;

struct Finding {
  size_t mutant = 0;  // index into ModelView::mutants
  size_t device = 0;  // index into CampaignView::devices
  std::string image;  // the one that goes furthest beyond its tolerance
  double max_abs_diff =
      0;                 // of the network's outputs, in their unit; NaN or Inf where an output is
  double tolerance = 0;  // in the same unit
};

// By mutant, then device; of every fate that was judged, so also of mutants that survived. A crash
// has no outputs: it is in the verdicts alone.
std::vector<Finding> FindingsOf(const ModelView& model);

}  // namespace mutatenn
