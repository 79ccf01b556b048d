// The original run once more on images of the loaded chunk, every step's outputs hashed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "device/step_hashes.h"
#include "worker/place.h"

namespace mutatenn {

// Steps that depend on the image, in order. `keep_going` is asked between images.
Result<std::vector<ImageHashes>> HashSteps(const Original& original, const Place& place,
                                           const std::vector<std::string>& images,
                                           const std::function<bool()>& keep_going);

}  // namespace mutatenn
