// What a campaign was made of and what happened to it.
#pragma once

#include "analysis/campaign_view.h"
#include "base/json.h"

namespace mutatenn {

// docs/results.md says what each key means.
Result<Json> AuditJson(const CampaignView& view);

}  // namespace mutatenn
