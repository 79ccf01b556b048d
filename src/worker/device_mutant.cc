// From a plan and the original's values to one fate an image, on an accelerator.
#include "worker/device_mutant.h"

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "worker/executor.h"

namespace mutatenn {

Status DeviceMutant::Load() {
  const Original& original = executor_.original();
  const Program& program = plan_.program();
  for (const Step& step : program.steps) {
    if (kernels_.contains(step.kernel)) continue;
    const Kernel& kernel = program.kernels.at(step.kernel);
    if (const KernelFunction* same = original.SameKernel(kernel)) {
      kernels_[step.kernel] = *same;
      continue;
    }
    KernelFunction& loaded = kernels_[step.kernel];
    loaded = TRY(LoadKernel((original.root() / kernel.library).string(), kernel.symbol));
    if (!step.weight_only) loaded.SetWorkspace({AllocateFilledWorkspace, FreeFilledWorkspace});
  }
  const size_t values = program.values.size();
  constant_.assign(values, nullptr);
  constant_dirty_.assign(values, false);
  weights_ = WeightFiles(original.root());
  for (size_t v = 0; v < values; ++v) {
    const Value& value = program.values[v];
    if (value.kind != Value::Kind::kWeight) continue;
    const int counterpart = plan_.original_of[v];
    const void* theirs = counterpart < 0 ? nullptr : original.Constant(counterpart);
    constant_[v] = TRY(weights_.Find(value));
    constant_dirty_[v] =
        theirs == nullptr || std::memcmp(theirs, constant_[v], value.type.Bytes()) != 0;
  }
  return RunWeightSteps();
}

Status DeviceMutant::RunWeightSteps() {
  const Original& original = executor_.original();
  const std::vector<Step>& steps = plan_.program().steps;
  dirty_ = constant_dirty_;
  for (size_t s = 0; s < steps.size(); ++s) {
    const Step& step = steps[s];
    if (!step.weight_only || !Due(static_cast<int>(s))) continue;
    const std::vector<void*> arguments = Arguments(
        step,
        [&](int value) -> const void* {
          const size_t v = static_cast<size_t>(value);
          return constant_[v] != nullptr ? constant_[v] : original.Constant(plan_.original_of[v]);
        },
        [&](int value) -> void* {
          made_[value].resize(static_cast<size_t>(plan_.typed.Bytes(value)));
          return made_[value].data();
        });
    TRY(plan_.typed.Call(kernels_.at(step.kernel), step, arguments)
            .With("weight step " + step.name));
    for (int value : step.outputs) {
      const size_t v = static_cast<size_t>(value);
      const int counterpart = plan_.original_of[v];
      constant_[v] = made_[value].data();
      dirty_[v] = counterpart < 0 || std::memcmp(constant_[v], original.Constant(counterpart),
                                                 made_[value].size()) != 0;
    }
  }
  constant_dirty_ = dirty_;
  return Ok();
}

bool DeviceMutant::Due(int s) const {
  if (job_.slow_oracle || plan_.changed[static_cast<size_t>(s)]) return true;
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  return std::any_of(step.inputs.begin(), step.inputs.end(),
                     [&](int value) { return dirty_[static_cast<size_t>(value)]; });
}

Result<Fate> DeviceMutant::RunImage(int image, std::optional<OutOfBounds>* outside) {
  image_ = image;
  dirty_ = constant_dirty_;
  uploaded_.assign(executor_.original().program().values.size(), false);
  host_.clear();
  seconds_ = 0;
  int last_reader = -1;
  for (size_t v = 0; v < dirty_.size(); ++v)
    if (dirty_[v]) last_reader = std::max(last_reader, plan_.last_reader[v]);
  const std::vector<Step>& steps = plan_.program().steps;
  bool mutated_kernel = false;
  std::string culprit;
  for (int s = 0; s < static_cast<int>(steps.size()); ++s) {
    if (!job_.slow_oracle && s > std::max(last_reader, plan_.last_changed)) break;
    const Step& step = steps[static_cast<size_t>(s)];
    if (step.weight_only || !Due(s)) continue;
    if (plan_.guarded[static_cast<size_t>(s)]) {
      mutated_kernel = true;
      culprit = step.name;
      watcher_.step(step.name);
    }
    TRY(RunStep(s, outside).With("in step " + step.name));
    for (int value : step.outputs)
      if (dirty_[static_cast<size_t>(value)])
        last_reader = std::max(last_reader, plan_.last_reader[static_cast<size_t>(value)]);
  }
  if (mutated_kernel) {
    OutOfBounds found;
    Status intact = executor_.CheckConstants(&found);
    if (!intact.ok() && intact.error().code != Code::kInvalidInput) return intact.error();
    found.step = culprit;
    if (!intact.ok() && !*outside) *outside = found;
  }
  return Finish(image);
}

Status DeviceMutant::RunStep(int s, std::optional<OutOfBounds>* outside) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  TRY(CallStep(s));
  TRY(CheckTail(s, outside));
  for (int value : step.outputs) {
    const size_t v = static_cast<size_t>(value);
    const int counterpart = plan_.original_of[v];
    dirty_[v] = counterpart < 0 ||
                std::memcmp(host_.at(value).data(), executor_.Reference(image_, counterpart),
                            static_cast<size_t>(plan_.typed.Bytes(value))) != 0;
  }
  return Ok();
}

Status DeviceMutant::CallStep(int s) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  std::vector<void*> arguments;
  for (int value : step.inputs) arguments.push_back(TRY(Input(value)));
  for (int value : step.outputs) {
    DeviceMemory* memory = TRY(Own(value));
    TRY(memory->Fill());
    arguments.push_back(memory->data());
  }
  const double start = SecondsNow();
  TRY(plan_.typed.Call(kernels_.at(step.kernel), step, arguments, executor_.device_));
  TRY(Synchronize(executor_.device_));
  seconds_ += SecondsNow() - start;
  return Ok();
}

// Reads the step's outputs back, and whether anything was written behind them.
Status DeviceMutant::CheckTail(int s, std::optional<OutOfBounds>* outside) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  for (size_t o = 0; o < step.outputs.size(); ++o) {
    const int value = step.outputs[o];
    const int64_t bytes = plan_.typed.Bytes(value);
    std::vector<char>& host = host_[value];
    host.resize(static_cast<size_t>(bytes + kTail));
    TRY(own_.at(value).Read(host.data(), bytes + kTail));
    const auto wrong =
        std::find_if(host.begin() + bytes, host.end(), [](char byte) { return byte != '\xff'; });
    if (wrong != host.end() && !*outside)
      *outside = {step.name, "output " + std::to_string(o), wrong - host.begin()};
  }
  return Ok();
}

Result<DeviceMemory*> DeviceMutant::Own(int value) {
  DeviceMemory& memory = own_[value];
  if (memory.data() == nullptr)
    memory = TRY(DeviceMemory::Allocate(executor_.device_, plan_.typed.Bytes(value) + kTail));
  return &memory;
}

Result<void*> DeviceMutant::Input(int value) {
  const size_t v = static_cast<size_t>(value);
  const int64_t bytes = plan_.typed.Bytes(value);
  auto upload = [&](DeviceMemory& memory, const void* from) -> Result<void*> {
    if (memory.data() == nullptr)
      memory = TRY(DeviceMemory::Allocate(executor_.device_, bytes + kTail));
    TRY(memory.Fill());
    TRY(memory.Write(from, bytes));
    return memory.data();
  };
  if (dirty_[v] && constant_dirty_[v]) {
    DeviceMemory& memory = dirty_constants_[value];
    if (memory.data() != nullptr) return memory.data();
    return upload(memory, constant_[v]);
  }
  if (dirty_[v]) return own_.at(value).data();
  const int counterpart = plan_.original_of[v];
  if (executor_.original().Constant(counterpart) != nullptr)
    return executor_.SharedConstant(counterpart);
  DeviceMemory& memory = clean_[counterpart];
  if (uploaded_[static_cast<size_t>(counterpart)]) return memory.data();
  uploaded_[static_cast<size_t>(counterpart)] = true;
  return upload(memory, executor_.Reference(image_, counterpart));
}

const void* DeviceMutant::HostValue(int value) const {
  const size_t v = static_cast<size_t>(value);
  if (dirty_[v]) return constant_dirty_[v] ? constant_[v] : host_.at(value).data();
  const int counterpart = plan_.original_of[v];
  if (const void* constant = executor_.original().Constant(counterpart)) return constant;
  return executor_.Reference(image_, counterpart);
}

// All image steps on what their inputs are now, once to warm up and five times; the median.
Status DeviceMutant::TimeWholeProgram(double* seconds) {
  constexpr int kRepeats = 5;
  std::vector<double> times;
  for (int repeat = 0; repeat <= kRepeats; ++repeat) {
    seconds_ = 0;
    for (size_t s = 0; s < plan_.program().steps.size(); ++s)
      if (!plan_.program().steps[s].weight_only) TRY(CallStep(static_cast<int>(s)));
    if (repeat > 0) times.push_back(seconds_);
  }
  std::sort(times.begin(), times.end());
  *seconds = times[times.size() / 2];
  return Ok();
}

Result<Fate> DeviceMutant::Finish(int image) {
  const Program& mutant = plan_.program();
  const Original& original = executor_.original();
  const OriginalRun& run = executor_.runs_[static_cast<size_t>(image)];
  Fate fate{.image = run.image, .top = run.top, .seconds = seconds_};
  OutputDifference difference;
  for (size_t i = 0; i < mutant.outputs.size(); ++i) {
    const size_t v = static_cast<size_t>(mutant.outputs[i]);
    const int theirs_at = original.program().outputs[i];
    if (!dirty_[v] && plan_.original_of[v] == theirs_at) continue;
    const void* their_data = original.Constant(theirs_at) != nullptr
                                 ? original.Constant(theirs_at)
                                 : executor_.Reference(image, theirs_at);
    const auto ours = TRY(ToFloats(HostValue(mutant.outputs[i]), mutant.values[v].type));
    const auto theirs =
        TRY(ToFloats(their_data, original.program().values[static_cast<size_t>(theirs_at)].type));
    CompareOutputs(ours, theirs, &difference);
    if (i == 0) fate.top = TopK(ours.data(), static_cast<int64_t>(ours.size()), original.top_k());
  }
  fate.nonfinite = difference.nonfinite;
  fate.max_abs_diff = difference.max_abs;
  int first = -1;
  for (size_t s = 0; s < mutant.steps.size(); ++s) {
    const std::vector<int>& outputs = mutant.steps[s].outputs;
    if (std::none_of(outputs.begin(), outputs.end(), [&](int value) {
          const size_t v = static_cast<size_t>(value);
          return dirty_[v] && plan_.original_of[v] >= 0;
        }))
      continue;
    if (first < 0) first = static_cast<int>(s);
    ++fate.dirty_steps;
    fate.infected = true;
  }
  if (difference.any && !fate.infected) {  // all of its values have new names
    fate.infected = true;
    first = LastWriter(mutant);
  }
  if (first >= 0) {
    const Step& step = mutant.steps[static_cast<size_t>(first)];
    fate.first_diverging_step = step.name;
    if (!step.layers.empty()) fate.first_diverging_layer = step.layers.back();
  }
  if (job_.full_timing) TRY(TimeWholeProgram(&fate.seconds));
  return fate;
}

}  // namespace mutatenn
