// How far legal code differs by rounding alone: each step of the original run by each program on
// the original's values, and each whole program on its own. In the worker's own process, since the
// code is as legal as the original's.
#pragma once

#include <functional>
#include <vector>

#include "device/floors.h"
#include "worker/original.h"
#include "worker/references.h"

namespace mutatenn {

// Steps that no program has in other code have no floor: nothing is known of them but that they
// repeat. `keep_going` is asked between images.
Result<std::vector<StepFloor>> MeasureFloors(const Original& original, const References& references,
                                             const FloorRequest& request,
                                             const std::function<bool()>& keep_going);

}  // namespace mutatenn
