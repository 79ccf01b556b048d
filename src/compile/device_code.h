// Lowered kernels of accelerators: the part that runs on the device as its source, the part that
// launches it as machine code of the host.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tvm/node.h"

namespace mutatenn {

struct DeviceCode {
  // ELF objects: the host's part, and the device's as data that the runtime unpacks when the
  // library of both is loaded.
  std::vector<std::string> objects;
  std::string source;  // OpenCL C or CUDA C++
};

// Of one lowered function, exported as `symbol`. `target`: a node of an accelerator's Target.
Result<DeviceCode> EmitDeviceCode(const Node& lowered, const std::string& symbol,
                                  const Node& target);

// "llvm", "opencl", "cuda".
std::string KindOf(const Node& target);

}  // namespace mutatenn
