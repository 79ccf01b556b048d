// A load request becomes a program in memory: libraries loaded, weights mapped, weight-only steps
// run.
#include "worker/original.h"

#include <algorithm>

#include "worker/progress.h"
#include "worker/scratch.h"

namespace mutatenn {

Result<const void*> WeightFiles::Find(const Value& weight) {
  auto file = files_.find(weight.file);
  if (file == files_.end())
    file = files_.emplace(weight.file, TRY(MapFile(root_ / weight.file))).first;
  int64_t size = static_cast<int64_t>(file->second.size());
  if (weight.offset > size || weight.type.Bytes() > size - weight.offset)
    return Fail(Code::kInvalidInput, (root_ / weight.file).string(), ": too short for weight '",
                weight.name, "' (build the campaign again)");
  return static_cast<const void*>(file->second.data() + weight.offset);
}

Result<std::unique_ptr<Original>> Original::Load(const LoadRequest& request) {
  std::unique_ptr<Original> loaded(new Original(std::filesystem::absolute(request.root)));
  Original& original = *loaded;
  TRY(Validate(request.program));
  if (request.program.inputs.size() != 1 || request.program.outputs.empty())
    return Fail(Code::kUnsupported, "a program needs exactly one input and at least one output");
  original.typed_ = TRY(MakeTyped(request.program));
  original.top_k_ = request.top_k;
  const Program& program = original.program();
  for (const auto& [key, kernel] : program.kernels) {
    KernelFunction& function = original.by_place_[{kernel.library, kernel.symbol}];
    if (function) continue;
    function = TRY(LoadKernel((original.root_ / kernel.library).string(), kernel.symbol));
    if (!kernel.code.empty()) original.by_code_[kernel.code] = function;
  }
  size_t count = program.values.size();
  original.constants_.assign(count, nullptr);
  original.producers_.assign(count, -1);
  for (size_t v = 0; v < count; ++v) {
    const Value& value = program.values[v];
    original.names_[value.name] = static_cast<int>(v);
    if (value.kind == Value::Kind::kWeight)
      original.constants_[v] = TRY(original.weights_.Find(value));
  }
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    for (int value : step.outputs)
      original.producers_[static_cast<size_t>(value)] = static_cast<int>(s);
    const Kernel& kernel = program.kernels.at(step.kernel);
    original.step_kernels_.push_back(original.by_place_.at({kernel.library, kernel.symbol}));
  }
  original.image_steps_ = ImageSteps(program);
  TRY(original.RunWeightSteps());
  return loaded;
}

Status Original::RunWeightSteps() {
  int64_t bytes = 0;
  for (const Step& step : program().steps)
    if (step.weight_only)
      for (int value : step.outputs) bytes += Aligned(typed_.Bytes(value));
  results_ = TRY(Arena::Make(bytes));
  for (size_t s = 0; s < program().steps.size(); ++s) {
    const Step& step = program().steps[s];
    if (!step.weight_only) continue;
    for (int value : step.inputs)
      if (Constant(value) == nullptr)
        return Fail(Code::kInvalidInput, "step '", step.name,
                    "' is marked weight_only but depends on the image");
    std::vector<void*> arguments = Arguments(
        step, [&](int value) { return Constant(value); },
        [&](int value) { return results_.Allocate(typed_.Bytes(value)); });
    int64_t start = MonotonicNanoseconds();
    Status status = typed_.Call(step_kernels_[s], step, arguments);
    if (!status.ok()) return status.error().With("step '" + step.name + "' of the original");
    weight_seconds_ += 1e-9 * static_cast<double>(MonotonicNanoseconds() - start);
    for (size_t i = 0; i < step.outputs.size(); ++i)
      constants_[static_cast<size_t>(step.outputs[i])] = arguments[step.inputs.size() + i];
  }
  return results_.Seal();
}

const KernelFunction* Original::SameKernel(const Kernel& kernel) const {
  if (auto same = by_place_.find({kernel.library, kernel.symbol}); same != by_place_.end())
    return &same->second;
  if (kernel.code.empty()) return nullptr;
  auto same = by_code_.find(kernel.code);
  return same == by_code_.end() ? nullptr : &same->second;
}

int Original::ValueNamed(const std::string& name) const {
  auto found = names_.find(name);
  return found == names_.end() ? -1 : found->second;
}

int64_t Original::reference_bytes() const {
  int64_t bytes = Aligned(typed_.Bytes(input()));
  for (int s : image_steps_)
    for (int value : program().steps[static_cast<size_t>(s)].outputs)
      bytes += Aligned(typed_.Bytes(value));
  return bytes;
}

}  // namespace mutatenn
