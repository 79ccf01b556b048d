// A lowered kernel as a plain C function, instead of TVM's packed calling convention.
#pragma once

#include <string>

#include "tvm/node.h"

namespace mutatenn {

// `lowered`: a tirx.PrimFunc on buffers. The same as `int32_t SYMBOL(void*, ...)`, one pointer a
// buffer in their order, 0 or -1 (no memory for a workspace). Buffers do not overlap, and begin
// where the function says that they do (64 bytes). `target`: what code is generated for, without a
// host. Throws what TVM throws, and where a parameter is no buffer; inside Guard.
Node PlainFunction(const Node& lowered, const std::string& symbol, const Node& target);

}  // namespace mutatenn
