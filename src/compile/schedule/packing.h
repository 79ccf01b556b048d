// A weight laid out for a kernel: blocks of `block` channels apart, the channels of a block
// innermost, [c, others..] -> [c / block, others.., c % block]; a last block that is not full
// repeats the last channel. Done by a kernel of its own, once
// per weight.
#pragma once

#include <string>

#include "base/result.h"
#include "program/program.h"
#include "tvm/node.h"

namespace mutatenn {

struct Packing {
  int input = 0;      // which of the kernel's parameters
  TensorType weight;  // as the program has it
  size_t axis = 0;    // of the channels
  int64_t block = 1;
  bool operator==(const Packing&) const = default;

  TensorType packed() const;
  // The packed value of the weight named `weight`: equal layouts of one weight have equal names.
  std::string NameFor(const std::string& weight) const;
};

// A PrimFunc (weight, packed) that copies, to be compiled as it is. Depends on the weight's type,
// axis and block only.
Result<Node> PackingKernel(const Packing& packing);

}  // namespace mutatenn
