// The original program as a worker holds it: its kernels loaded, its weights mapped, the results of
// its weight-only steps computed once and read-only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "device/session.h"
#include "worker/arena.h"
#include "worker/tensors.h"

namespace mutatenn {

class WeightFiles {
 public:
  explicit WeightFiles(std::filesystem::path root) : root_(std::move(root)) {}
  // The elements of a weight; an error names the file that is missing or too short.
  Result<const void*> Find(const Value& weight);

 private:
  std::filesystem::path root_;
  std::map<std::string, Mapping> files_;
};

class Original {
 public:
  static Result<std::unique_ptr<Original>> Load(const LoadRequest& request);

  const Program& program() const { return typed_.program; }
  const TypedProgram& typed() const { return typed_; }
  const std::filesystem::path& root() const { return root_; }
  int top_k() const { return top_k_; }

  const KernelFunction& StepKernel(int step) const {
    return step_kernels_[static_cast<size_t>(step)];
  }
  // The original's kernel with the same code, or null.
  const KernelFunction* SameKernel(const Kernel& kernel) const;
  // Weights and results of weight-only steps; null for values that depend on the image.
  const void* Constant(int value) const { return constants_[static_cast<size_t>(value)]; }
  int ValueNamed(const std::string& name) const;  // -1 when absent
  int Producer(int value) const { return producers_[static_cast<size_t>(value)]; }  // step, or -1
  int input() const { return typed_.program.inputs[0]; }
  const std::vector<int>& image_steps() const { return image_steps_; }  // not weight-only, in order
  double weight_seconds() const { return weight_seconds_; }
  int64_t reference_bytes() const;  // to keep every value of one image

 private:
  explicit Original(std::filesystem::path root) : root_(root), weights_(std::move(root)) {}
  Status RunWeightSteps();

  std::filesystem::path root_;
  TypedProgram typed_;
  int top_k_ = 5;
  WeightFiles weights_;
  Arena results_;  // of weight-only steps
  std::vector<KernelFunction> step_kernels_;
  std::map<std::pair<std::string, std::string>, KernelFunction> by_place_;  // library, symbol
  std::map<std::string, KernelFunction> by_code_;
  std::vector<const void*> constants_;
  std::unordered_map<std::string, int> names_;
  std::vector<int> producers_, image_steps_;
  double weight_seconds_ = 0;
};

// Pointers for a call, in parameter order, from a function value index -> memory.
template <class Inputs, class Outputs>
std::vector<void*> Arguments(const Step& step, Inputs&& input, Outputs&& output) {
  std::vector<void*> arguments;
  for (int value : step.inputs) arguments.push_back(const_cast<void*>(input(value)));
  for (int value : step.outputs) arguments.push_back(output(value));
  return arguments;
}

}  // namespace mutatenn
