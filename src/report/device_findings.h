// What a reader has to know of the devices before any score: originals that are wrong, servers that
// were left out.
#pragma once

#include <string>
#include <vector>

#include "analysis/campaign_view.h"
#include "base/result.h"

namespace mutatenn {

// In the order of the campaign's history, each once.
Result<std::vector<std::string>> DeviceFindings(const CampaignView& view);

}  // namespace mutatenn
