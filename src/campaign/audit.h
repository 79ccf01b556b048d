// Some fates of a campaign done once more from nothing: files, images and model read anew, the
// network and each mutant compiled alone without a cache, every step of every image run in a
// process of its own. Whatever made the campaign fast is left out.
#pragma once

#include <string>
#include <vector>

#include "campaign/campaign.h"

namespace mutatenn {

struct AuditOptions {
  std::string folder;
  int sample = 20;    // fates; as many as there are where there are fewer
  uint64_t seed = 1;  // which ones
};
struct AuditedFate {
  std::string model, mutant, device, image;
  std::string difference;  // "" = the fate is the same
};
struct Audit {
  int64_t population = 0;          // fates in the campaign
  std::vector<AuditedFate> fates;  // by model, device, image, mutant
};
// A fate is the same when it ends the same and the best labels and their scores are equal, bit by
// bit, or within what the original's own runs differed by on that device and image.
Result<Audit> AuditCampaign(const AuditOptions& options, const CampaignParts& parts,
                            Progress& progress);

}  // namespace mutatenn
