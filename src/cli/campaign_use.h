// What the sub-commands that make or read a campaign share.
#pragma once

#include <memory>
#include <string>

#include "analysis/campaign_view.h"
#include "base/result.h"
#include "campaign/campaign.h"
#include "cli/subcommand.h"

namespace mutatenn {

// The store of a campaign's folder, for reading only.
Result<std::unique_ptr<Store>> OpenStore(const std::string& folder);

// A campaign's store and its judged contents, for reading only.
struct OpenCampaign {
  std::unique_ptr<Store> store;
  CampaignView view;
};
// With the marks of the folder. `kill` is the text of a kill rule, "" = the campaign's own.
struct OpenOptions {
  std::string kill = {};
  bool keep_fates = false;
};
Result<OpenCampaign> OpenToRead(const std::string& folder, const OpenOptions& options = {});

void AddKillOption(CLI::App& app, std::string& kill);
// DIR and MUTANT, which FindMutant understands.
void AddMutantArguments(CLI::App& app, std::string& folder, std::string& mutant);

struct FoundMutant {
  const ModelView* model = nullptr;
  const MutantView* mutant = nullptr;
};
// The mutant whose id starts with `prefix`; there must be one only.
Result<FoundMutant> FindMutant(const CampaignView& view, const std::string& folder,
                               const std::string& prefix);

// Prints the summary of a folder's campaign to stdout.
Status PrintSummary(const std::string& folder);
Status PrintSummary(const CampaignView& view);

// The exit status of a campaign that ended; `again` is the command that goes on with it.
int StatusOf(const CampaignOutcome& outcome, const std::string& again);

}  // namespace mutatenn
