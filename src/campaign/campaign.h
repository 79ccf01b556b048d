// A campaign from configuration to measured fates, as one straight list (campaign.cc). Every step
// looks into the store for what is done and does the rest, so that resuming is not a special case:
// a campaign that was killed at any moment goes on where it was.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "campaign/config.h"
#include "campaign/progress.h"
#include "campaign/stats.h"
#include "compile/generator.h"
#include "device/session.h"
#include "store/store.h"

namespace mutatenn {

// The outside world behind a seam each, so that tests bring their own.
struct CampaignParts {
  std::function<Result<std::unique_ptr<Store>>(const std::string& path)> open_store;
  std::function<Result<std::unique_ptr<Generator>>(const GeneratorOptions&)> start_generator;
  // `scratch`: a folder of the session's own.
  std::function<Result<std::unique_ptr<Session>>(const DeviceConfig&, const std::string& scratch)>
      open_session;
  std::function<void(double seconds)> sleep;  // between restarts of a lost worker
  std::function<bool()> interrupted;          // the user wants to stop
  std::function<void()> checkpoint = {};      // called often, between transactions; may be empty
  std::string command = {};                   // line that the campaign's history keeps; "" = none
};
CampaignParts RealParts();

struct CampaignOptions {
  std::string out;           // the campaign's folder
  bool complete = false;     // early becomes full, missing images are run
  bool slow_oracle = false;  // everything the slow way: no cache, no references, no guards
};

struct CampaignOutcome {
  bool interrupted = false;
  int left_pending = 0;        // mutants that tool errors kept from being run, over all devices
  std::string pending_reason;  // the last of those errors
  CampaignStats stats;
};

// The three ways in. `execute` needs neither the configuration's files nor compiler nor Python;
// device
// "" = every one.
Result<CampaignOutcome> RunCampaign(const Config& config, const CampaignOptions& options,
                                    const CampaignParts& parts, Progress& progress);
Result<CampaignOutcome> BuildCampaign(const Config& config, const CampaignOptions& options,
                                      const CampaignParts& parts, Progress& progress);
Result<CampaignOutcome> ExecuteCampaign(const std::string& folder, const std::string& device,
                                        const CampaignParts& parts, Progress& progress);

// Points and mutants without running anything; nothing is left on the disk.
struct ModelPreview {
  std::string model;
  int images = 0;
  std::vector<PointsOfUse> points;
  std::vector<StoredOperatorUse> uses;  // with what the sample selects
  double seconds = 0, disk_bytes = 0;   // to expect; rough
};
Result<std::vector<ModelPreview>> PreviewCampaign(const Config& config, const CampaignParts& parts,
                                                  Progress& progress);

}  // namespace mutatenn
