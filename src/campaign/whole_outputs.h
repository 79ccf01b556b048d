// Two sides of which one gives the network's outputs alone (compare.h).
#pragma once

#include <functional>

#include "campaign/compare.h"

namespace mutatenn {

Result<Comparison> CompareOutputs(Side& a, Side& b, int images,
                                  const std::function<Result<CompareInput>(int)>& read,
                                  Progress& progress);

}  // namespace mutatenn
