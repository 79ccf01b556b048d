// What a mutant needs from the host: plan, kernels, weights, where its values will lie.
#include "worker/device_mutant.h"

#include <algorithm>
#include <cstring>

namespace mutatenn {

std::unique_ptr<DeviceMutant> DeviceMutant::Prepare(const DeviceExecutor& executor, MutantJob job) {
  std::unique_ptr<DeviceMutant> mutant(new DeviceMutant(std::move(job)));
  mutant->loaded_ = mutant->Load(executor);
  return mutant;
}

Status DeviceMutant::Load(const DeviceExecutor& executor) {
  const Original& original = executor.original();
  Result<MutantPlan> plan = MakePlan(original, job_.program);
  if (!plan.ok()) return Fail(Code::kInvalidInput, plan.error().message);
  plan_ = std::move(*plan);
  const Program& program = plan_->program();
  std::map<std::string, KernelFunction> kernels;
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    KernelFunction& loaded = kernels[step.kernel];
    if (!loaded) {
      const Kernel& kernel = program.kernels.at(step.kernel);
      if (const KernelFunction* same = original.SameKernel(kernel)) {
        loaded = *same;
      } else {
        loaded = TRY(LoadKernel((original.root() / kernel.library).string(), kernel.symbol));
        if (!step.weight_only) {
          loaded.SetWorkspace({AllocateFilledWorkspace, FreeFilledWorkspace});
          loaded.Prepare(executor.device());
        }
      }
    }
    kernels_.push_back(loaded);
    if (plan_->guarded[s] && !step.weight_only && culprit_.empty()) culprit_ = step.name;
  }
  const size_t values = program.values.size();
  constant_.assign(values, nullptr);
  constant_dirty_.assign(values, false);
  weights_ = WeightFiles(original.root());
  for (size_t v = 0; v < values; ++v) {
    const Value& value = program.values[v];
    if (value.kind != Value::Kind::kWeight) continue;
    const int counterpart = plan_->original_of[v];
    const void* theirs = counterpart < 0 ? nullptr : original.Constant(counterpart);
    if (theirs != nullptr) {
      const Value& other = original.program().values[static_cast<size_t>(counterpart)];
      if (other.kind == value.kind && other.file == value.file && other.offset == value.offset) {
        constant_[v] = theirs;
        continue;
      }
    }
    constant_[v] = TRY(weights_.Find(value));
    constant_dirty_[v] =
        theirs == nullptr || std::memcmp(theirs, constant_[v], value.type.Bytes()) != 0;
  }
  TRY(RunWeightSteps(original));
  PlaceValues(executor);
  return Ok();
}

Status DeviceMutant::RunWeightSteps(const Original& original) {
  const std::vector<Step>& steps = plan_->program().steps;
  for (size_t s = 0; s < steps.size(); ++s) {
    const Step& step = steps[s];
    const bool due = job_.slow_oracle || plan_->changed[s] ||
                     std::any_of(step.inputs.begin(), step.inputs.end(), [&](int value) {
                       return constant_dirty_[static_cast<size_t>(value)];
                     });
    if (!step.weight_only || !due) continue;
    const std::vector<void*> arguments = Arguments(
        step,
        [&](int value) -> const void* {
          const size_t v = static_cast<size_t>(value);
          return constant_[v] != nullptr ? constant_[v] : original.Constant(plan_->original_of[v]);
        },
        [&](int value) -> void* {
          const int64_t lines = Aligned(plan_->typed.Bytes(value)) / kAlignment;
          made_[value].resize(static_cast<size_t>(lines));
          return made_[value].data();
        });
    TRY(plan_->typed.Call(kernels_[s], step, arguments).With("weight step " + step.name));
    for (int value : step.outputs) {
      const size_t v = static_cast<size_t>(value);
      const int counterpart = plan_->original_of[v];
      constant_[v] = made_[value].data();
      constant_dirty_[v] =
          counterpart < 0 || std::memcmp(constant_[v], original.Constant(counterpart),
                                         static_cast<size_t>(plan_->typed.Bytes(value))) != 0;
    }
  }
  return Ok();
}

void DeviceMutant::PlaceValues(const DeviceExecutor& executor) {
  const Program& program = plan_->program();
  homes_.assign(program.values.size(), Home::kShared);
  auto of_image = [&](int value) {
    const int counterpart = plan_->original_of[static_cast<size_t>(value)];
    const bool placed = counterpart >= 0 && executor.layout_.Has(counterpart);
    homes_[static_cast<size_t>(value)] = placed ? Home::kLikeTheirs : Home::kExtra;
  };
  for (size_t v = 0; v < program.values.size(); ++v)
    if (constant_dirty_[v]) homes_[v] = Home::kWeight;
  for (int value : program.inputs) of_image(value);
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    if (step.weight_only) continue;
    for (int value : step.outputs) of_image(value);
    const bool reads_own_weight =
        std::any_of(step.inputs.begin(), step.inputs.end(),
                    [&](int value) { return home(value) == Home::kWeight; });
    const bool reads_extra = std::any_of(step.inputs.begin(), step.inputs.end(),
                                         [&](int value) { return home(value) == Home::kExtra; });
    if (plan_->changed[s] || reads_own_weight || reads_extra)
      first_wave_.push_back(static_cast<int>(s));
  }
  for (int value : program.outputs) {
    output_offsets_.push_back(output_bytes_);
    output_bytes_ += Aligned(plan_->typed.Bytes(value));
  }
}

}  // namespace mutatenn
