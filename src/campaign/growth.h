// How a difference grows through the network, step by step, of a campaign that has run: of the
// original between devices, and of mutants against the original. Nothing of it follows from fates,
// so it is run again, on one image each, and stored beside them.
#pragma once

#include <string>
#include <vector>

#include "campaign/campaign.h"
#include "campaign/progress.h"
#include "store/store.h"

namespace mutatenn {

struct GrowthOptions {
  std::string folder;
  std::vector<std::string> mutants;  // ids, or as many first digits as make them unique
  int top = 0;  // and so many more: first those on which devices disagree, then near survivors
};

// Needs no compiler. Stores the rows and gives them. The image of a mutant is the one that kills it
// on the device, else the first that it infects; of two devices the first whose labels differ, else
// the first. Mutants that never ran on a device, or were never infected there, have no rows.
Result<std::vector<StoredGrowth>> MeasureGrowth(const GrowthOptions& options,
                                                const CampaignParts& parts, Progress& progress);

}  // namespace mutatenn
