// What the unmutated network gave on each device, at first and when it ran again.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

// kInvalidInput where the stored text is no list.
Result<Repeats> RepeatsOf(const StoredRepeat& row);

// As the view `unstable_images`: those that kill nothing on the device.
Result<std::set<std::string>> UnstableImages(Store& store, const std::string& model,
                                             const std::string& device);

// Fills ModelView::originals and ::noise of a model whose images are there.
Status ReadOriginals(Store& store, const std::vector<StoredDevice>& devices, ModelView& model);

}  // namespace mutatenn
