// Fused steps -> the same steps without those that only give bytes another shape (reshape, flatten,
// expand_dims, squeeze): whoever reads their output reads their input, in that shape.
#pragma once

#include "compile/fuse.h"

namespace mutatenn {

// An output of the network stays a step of its own, and so does whatever TVM does not prove to be a
// reshape of a whole buffer.
Result<FusedGraph> ReadThroughReshapes(FusedGraph fused);

}  // namespace mutatenn
