// The part `effects` of the JSON report; docs/results.md says what each key means.
#pragma once

#include "analysis/campaign_view.h"
#include "base/json.h"

namespace mutatenn {

// By device: how many runs were silent, loud or neither, and the mutants with silent ones.
Json EffectsJson(const CampaignView& view, const ModelView& model);

}  // namespace mutatenn
