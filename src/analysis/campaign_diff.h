// Two campaigns side by side, of two versions of a compiler, a model or a set of images: first the
// kernels, then the original's outputs, then scores and verdicts.
#pragma once

#include "analysis/campaign_view.h"
#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

// One object, docs/results.md says what each key means. Models and devices are matched by name;
// mutants by id, else by place where it is the only one of it on both sides.
Result<Json> DiffCampaigns(const CampaignView& before, const CampaignView& after);

// The same for people.
std::string DiffText(const Json& diff);

}  // namespace mutatenn
