// Devices against each other: where a mutant, or the original, gives another verdict or another
// label on one device than on another, over the images that both ran.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

struct DeviceComparison {
  int base = 0, evaluated = 0;               // indices into CampaignView::devices
  int originals_compared = 0;                // images on which the original ran on both
  int originals_differing = 0;               // of them, with different first labels
  int mutants_compared = 0;                  // verdict known (not pending or ignored) on both
  std::vector<std::string> verdicts_differ;  // their ids, in the view's order
  int runs_compared = 0;                     // (mutant, image) that gave an output on both
  int runs_differing = 0;                    // of them, with different first labels
  std::vector<std::string> labels_differ;    // mutants with such a run, in the view's order
  std::optional<double> mean_rank_tau;       // Kendall's tau-b over the runs where it has a value
  std::optional<double> mean_levenshtein;    // over the runs compared
};

// All unordered pairs, first device first.
std::vector<DeviceComparison> CompareDevices(const CampaignView& view, const ModelView& model);

}  // namespace mutatenn
