// The beginning of a session in one go: what Session::Begin does of its other calls, and its
// message.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "device/session.h"

namespace mutatenn {

// How many images' references have room, at least one; all where the worker keeps none.
int ChunkImages(int64_t chunk_bytes, int64_t reference_bytes_per_image);
// The request for floors on the first `count` of these images, by name.
FloorRequest FloorsOn(FloorRequest request, const std::vector<ImageInput>& images, int count);
// `repeated` as the worker wrote it (device/repeat.h).
Result<Begun> BegunFromJson(const Json& json);

}  // namespace mutatenn
