// What the sub-commands that make or read a campaign share.
#pragma once

#include <memory>
#include <string>

#include "analysis/campaign_view.h"
#include "base/result.h"
#include "campaign/campaign.h"
#include "cli/subcommand.h"

namespace mutatenn {

// A campaign's store and its judged contents, for reading only.
struct OpenCampaign {
  std::unique_ptr<Store> store;
  CampaignView view;
};
Result<OpenCampaign> OpenToRead(const std::string& folder);

// Prints the summary of a folder's campaign to stdout.
Status PrintSummary(const std::string& folder);

// The exit status of a campaign that ended; `again` is the command that goes on with it.
int StatusOf(const CampaignOutcome& outcome, const std::string& again);

}  // namespace mutatenn
