// Small things done with the bytes of tensors: arguments of a kernel call, floats for ranking.
#pragma once

#include <span>
#include <vector>

#include "program/program.h"
#include "tvm/runtime.h"

namespace mutatenn {

// A program with its data types in TVM's form, ready to call kernels.
struct TypedProgram {
  Program program;
  std::vector<DLDataType> dtypes;  // by value

  // Calls the kernel of `step` on memory in parameter order: inputs, then outputs.
  Status Call(const KernelFunction& kernel, const Step& step, std::span<void* const> arguments,
              DeviceId device = {}) const;
  int64_t Bytes(int value) const { return program.values[static_cast<size_t>(value)].type.Bytes(); }
};
Result<TypedProgram> MakeTyped(Program program);

// Elements as floats, flattened; 64-bit types are rounded. kUnsupported: a type without numbers.
Result<std::vector<float>> ToFloats(const void* data, const TensorType& type);

// The network's outputs of a mutant against the original's, over the elements that both have.
struct OutputDifference {
  bool nonfinite = false;  // NaN or infinity where the original's is finite
  double max_abs = 0;      // where both are finite
  bool any = false;        // other elements, or another number of them
};
void CompareOutputs(const std::vector<float>& mutant, const std::vector<float>& original,
                    OutputDifference* difference);

}  // namespace mutatenn
