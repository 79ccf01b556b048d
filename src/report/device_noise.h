// The original alone on each device, as the campaign stored it before the first mutant.
#pragma once

#include <optional>
#include <string>

#include "analysis/campaign_view.h"
#include "base/json.h"

namespace mutatenn {

// The array `device_noise` of a model (docs/results.md).
Result<Json> DeviceNoiseJson(const CampaignView& view, const ModelView& model);

// The rounding floor of the network's outputs, the largest where it has several; nothing where it
// was not measured.
std::optional<double> OutputFloor(const CampaignView& view, const std::string& model,
                                  const std::string& device);

}  // namespace mutatenn
