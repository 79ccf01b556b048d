// Whether a kernel touches the same elements whatever values they hold: then a guarded run on one
// image has seen every access that there is.
#pragma once

#include "tvm/node.h"

namespace mutatenn {

// Of a lowered PrimFunc. False where an index, a loop's bounds or a condition may rest on a value
// that was loaded, and where something is called whose accesses are not seen. Use inside Guard.
bool HasFixedAccesses(const Node& function);

}  // namespace mutatenn
