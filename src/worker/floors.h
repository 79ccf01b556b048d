// How far legal code differs by rounding alone: each step of the original run by each program on
// the original's values, and each whole program on its own. In the process that holds the device,
// since the code is as legal as the original's.
#pragma once

#include <functional>
#include <vector>

#include "device/floors.h"
#include "worker/place.h"

namespace mutatenn {

// Steps that no program has in other code have no floor: nothing is known of them but that they
// repeat. A kernel that the device refuses (one of float64 where it has none) is left out, and its
// program's outputs with it. `keep_going` is asked between images.
Result<std::vector<StepFloor>> MeasureFloors(const Original& original, const Place& place,
                                             const FloorRequest& request,
                                             const std::function<bool()>& keep_going);

}  // namespace mutatenn
