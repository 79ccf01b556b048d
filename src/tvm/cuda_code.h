// CUDA code of TVM's: what its generator asks of Python elsewhere, and device modules whose source
// was compiled.
#pragma once

#include <string>

#include "tvm/node.h"

namespace mutatenn {

// Registers the intrinsics and headers that `target.build.cuda` asks for. Once a process.
void RegisterCudaCode();

// A device module, as target.build.cuda made it, with `binary` (format "cubin" or "ptx") in place
// of its source. Throws; use inside Guard.
Node WithDeviceBinary(const Node& module, const std::string& format, const std::string& binary);

}  // namespace mutatenn
