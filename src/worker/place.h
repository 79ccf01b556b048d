// Where steps of the original and of other legal code are run outside of mutants, with all values
// in host memory: this process's CPU, or an accelerator that values go up to and come back from.
// Slow, and the same whatever the device does to run mutants fast.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tvm/accelerator.h"
#include "worker/references.h"

namespace mutatenn {

struct Place {
  // The elements of an image, by name; valid until the next call.
  std::function<Result<const void*>(const std::string& image)> input;
  // Runs the kernel of a step on `arguments`, inputs then outputs. kTvm: the device refuses it.
  std::function<Status(const TypedProgram&, const KernelFunction&, const Step&,
                       const std::vector<void*>& arguments)>
      call;
};

// The images are those of `references`.
Place OnCpu(const Original& original, const References& references);
// The images are read from their files.
Place OnAccelerator(const Original& original, DeviceId device, std::vector<ImageInput> images);

}  // namespace mutatenn
