// The kernels of program/device_tools.h as PrimFuncs, bound to threads already.
#pragma once

#include "base/result.h"
#include "tvm/node.h"

namespace mutatenn {

Result<Node> DifferFunction();
Result<Node> DigestFunction();

}  // namespace mutatenn
