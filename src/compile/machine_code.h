// An ELF object into what the machine code of one of its kernels is, whatever else stands beside it
// in the object: two kernels with equal code compute the same.
#pragma once

#include <string>

#include "base/result.h"

namespace mutatenn {

// A hash of the kernel exported as `symbol`: the bytes of the function that computes (TVM's wrapper
// around it, where it is one of its own, only takes arguments apart) with its relocations resolved
// to names and constants, since addresses depend on the neighbours. "" where that cannot be told:
// code that is not known equals nothing. kInternal: `object` is no ELF object of ours, or has no
// such kernel.
Result<std::string> CodeOf(const std::string& object, const std::string& symbol);

}  // namespace mutatenn
