// A network that somebody else compiled with TVM: a library that holds a Relax VM executable, run
// by the runtime's virtual machine on the CPU.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tvm/runtime.h"

namespace mutatenn {

class NetworkLibrary {
 public:
  // kNotFound: no such file. kUnsupported: no Relax VM executable with a function `main` of one
  // parameter (bind the weights before compiling). kTvm: the loader refuses it.
  static Result<NetworkLibrary> Load(const std::string& path);
  // `main` on one tensor of this process's memory: the elements of each output, float32.
  Result<std::vector<std::vector<float>>> Run(const TensorView& input) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace mutatenn
