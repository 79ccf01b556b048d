// One mutant of a campaign for other programs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/campaign.h"

namespace mutatenn {

struct ExportOptions {
  std::string folder, mutant;       // the campaign, a whole id
  std::string as;                   // "irmodule", "library", "replay" or "script"
  std::string device;               // whose target; "" = the first one
  std::vector<std::string> images;  // replay, script; none = the first that was run
  std::string worker;  // replay: folder with a worker for another kind of machine; "" = this one's
  std::string file;    // is written
};
// Imports the model anew, so that its file has to be there; a replay has no script without it.
Status ExportMutant(const ExportOptions& options, const CampaignParts& parts);

}  // namespace mutatenn
