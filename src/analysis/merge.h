// Several campaigns' stores into one: shards of one campaign over machines, devices, mutants or
// images.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace mutatenn {

struct MergeSource {
  std::string name;  // for errors
  Store* store = nullptr;
};

// Puts all rows of all sources into `into`, which is empty. Targets are matched by what TVM
// resolved them to. Refused (kInvalidInput, naming both sides) is what would mix two campaigns:
// other content of a model or image, other rules, another order of images, and two different fates
// of one key.
Status MergeCampaigns(const std::vector<MergeSource>& sources, Store& into);

}  // namespace mutatenn
