// How differences grow from step to step, where `mutatenn growth` was run.
#pragma once

#include "analysis/campaign_view.h"
#include "base/json.h"

namespace mutatenn {

Result<Json> GrowthJson(const CampaignView& view, const ModelView& model);

}  // namespace mutatenn
