// Rounding floors of a campaign: the original in other legal code, built before the mutants, and
// what each device makes of it, measured once, with the original's repeats.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "campaign/steps.h"

namespace mutatenn {

// Builds and stores the variants of a target that the store lacks; none where floors are off or the
// target has none.
Status BuildVariants(CampaignContext& context, const ModelBuild& build, int target);
// What is to be asked of a device, its images still open; nothing where floors are off, are stored
// already, or the target has no variants.
Result<std::optional<FloorRequest>> OpenFloors(CampaignContext& context, const std::string& model,
                                               const std::string& device);
// The same from the store alone: the variants of a target.
Result<std::optional<FloorRequest>> FloorsOf(Store& store, const std::string& model, int target);
Status StoreFloors(Store& store, const std::string& model, const std::string& device,
                   const std::vector<StepFloor>& floors);

}  // namespace mutatenn
