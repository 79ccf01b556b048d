// CUDA C++ into machine code by NVRTC, NVIDIA's compiler as a library: no process, no toolkit, no
// GPU. It is loaded when it is first needed.
#pragma once

#include <string>

#include "base/result.h"

namespace mutatenn {

struct CudaBinary {
  std::string format;  // "cubin", or "ptx", which the driver translates when it is loaded
  std::string bytes;
};

// kUnavailable, with what to install, where libnvrtc.so.13 is not found.
Status LoadNvrtc();
// `architecture`: "sm_90". A cubin; PTX where it is the least that NVRTC knows (kLeastCuda...), so
// that the code runs on every newer one. kTvm: the source is refused, with the log's first lines.
Result<CudaBinary> CompileCuda(const std::string& source, const std::string& architecture);

// The oldest GPUs that CUDA 13 compiles for.
inline constexpr const char* kLeastCudaArchitecture = "sm_75";

}  // namespace mutatenn
