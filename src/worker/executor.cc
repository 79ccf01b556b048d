// Dirty propagation in a child: from a plan and the original's values to one record per image.
#include "worker/executor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/clock.h"

namespace mutatenn {

double CpuLimit(const Limits& limits, double original_seconds) {
  return std::max(limits.floor_s, limits.factor * original_seconds);
}

void MutantKernels::Load(const Original& original, const MutantPlan& plan) {
  for (const Step& step : plan.program().steps) {
    if (kernels_.contains(step.kernel)) continue;
    const Kernel& kernel = plan.program().kernels.at(step.kernel);
    if (const KernelFunction* same = original.SameKernel(kernel)) {
      kernels_[step.kernel] = *same;
      continue;
    }
    Result<KernelFunction> loaded =
        LoadKernel((original.root() / kernel.library).string(), kernel.symbol);
    if (!loaded.ok()) EndChild(Outcome::kToolError, loaded.error().message);
    kernels_[step.kernel] = *loaded;
  }
}

void Executor::Run(SharedRegion& region) {
  Progress& progress = region.progress();
  figures_ = &progress.figures;
  {
    AddSeconds timer(figures_->load_s);
    Setup();
  }
  LimitMemory(limits_.memory_bytes);
  progress.started_ns = MonotonicNanoseconds();
  progress.phase = Phase::kWeights;
  RunWeightSteps();
  int count = static_cast<int>(task_.images.size());
  for (int position = task_.next; position < count; ++position) {
    progress.image = position;
    progress.step = -1;
    progress.started_ns = MonotonicNanoseconds();
    progress.phase = Phase::kImages;
    image_ = task_.images[static_cast<size_t>(position)];
    if (sabotage_ == Sabotage::kWrongImage)
      image_ = (image_ + 1) % static_cast<int>(references_.runs().size());
    record_ = Record{.image = position};
    RunImage();
    Finish(region, position);
  }
  EndChild(Outcome::kFinished);
}

void Executor::Setup() {
  kernels_.Load(original_, plan_);
  size_t values = plan_.program().values.size();
  own_.Resize(values + 1);
  scratch_ = PlanScratch(plan_.typed, std::vector<bool>(values));
  again_.Resize(original_.program().values.size());
  constant_.assign(values, nullptr);
  constant_dirty_.assign(values, false);
  inside_.assign(plan_.guarded.size(), task_.inside);
  Status status = plain_.Reserve(plan_.typed, plan_.guarded);
  for (size_t s = 0; status.ok() && task_.guards && s < plan_.guarded.size(); ++s)
    if (plan_.guarded[s]) status = guards_.Prepare(plan_.typed, plan_.program().steps[s]);
  if (!status.ok()) EndChild(Outcome::kToolError, status.error().message);
  weights_ = WeightFiles(original_.root());
  for (size_t v = 0; v < values; ++v) {
    const Value& value = plan_.program().values[v];
    if (value.kind != Value::Kind::kWeight) continue;
    int counterpart = plan_.original_of[v];
    if (counterpart >= 0) {
      const Value& other = original_.program().values[static_cast<size_t>(counterpart)];
      if (other.kind == value.kind && other.file == value.file && other.offset == value.offset)
        continue;
    }
    Result<const void*> found = weights_.Find(value);
    if (!found.ok()) EndChild(Outcome::kToolError, found.error().message);
    constant_[v] = *found;
    const void* theirs = counterpart < 0 ? nullptr : original_.Constant(counterpart);
    constant_dirty_[v] = theirs == nullptr || std::memcmp(theirs, *found, value.type.Bytes()) != 0;
  }
}

void Executor::RunWeightSteps() {
  double seconds = CpuLimit(limits_, original_.weight_seconds());
  budget_.Reset(seconds);
  guard_budget_.Reset(seconds);
  dirty_ = constant_dirty_;
  const std::vector<Step>& steps = plan_.program().steps;
  for (size_t s = 0; s < steps.size(); ++s)
    if (steps[s].weight_only && Due(static_cast<int>(s))) RunStep(static_cast<int>(s));
  constant_dirty_ = dirty_;
  steps_ = static_cast<double>(std::count_if(steps.begin(), steps.end(),
                                             [](const Step& step) { return !step.weight_only; }));
}

void Executor::RunImage() {
  double seconds = CpuLimit(limits_, references_.runs()[static_cast<size_t>(image_)].seconds);
  budget_.Reset(seconds);
  guard_budget_.Reset(seconds);
  dirty_ = constant_dirty_;
  made_again_.assign(original_.program().values.size(), false);
  steps_run_ = 0;
  int last_reader = -1;  // of anything dirty
  for (size_t v = 0; v < dirty_.size(); ++v)
    if (dirty_[v]) last_reader = std::max(last_reader, plan_.last_reader[v]);
  const std::vector<Step>& steps = plan_.program().steps;
  int count = static_cast<int>(steps.size());
  for (int s = 0; s < count; ++s) {
    if (s > std::max(last_reader, plan_.last_changed)) break;
    const Step& step = steps[static_cast<size_t>(s)];
    if (step.weight_only || !Due(s)) continue;
    if (sabotage_ == Sabotage::kSkipLastStep && s == count - 1) break;
    RunStep(s);
    ++steps_run_;
    for (int value : step.outputs)
      if (dirty_[static_cast<size_t>(value)])
        last_reader = std::max(last_reader, plan_.last_reader[static_cast<size_t>(value)]);
  }
  for (int s = 0; s < count; ++s) CountDivergence(s);
}

// A step diverges when an output differs from the original's; a value the original does not have is
// dirty, but says nothing.
void Executor::CountDivergence(int s) {
  const std::vector<int>& outputs = plan_.program().steps[static_cast<size_t>(s)].outputs;
  bool differs = std::any_of(outputs.begin(), outputs.end(), [&](int value) {
    size_t v = static_cast<size_t>(value);
    return dirty_[v] && plan_.original_of[v] >= 0;
  });
  if (!differs) return;
  if (record_.first_diverging < 0) record_.first_diverging = s;
  ++record_.dirty_steps;
  record_.infected = 1;
}

bool Executor::Due(int s) const {
  if (plan_.changed[static_cast<size_t>(s)]) return true;
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  return std::any_of(step.inputs.begin(), step.inputs.end(),
                     [&](int value) { return dirty_[static_cast<size_t>(value)]; });
}

void Executor::RunStep(int s) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  ChildProgress().step = s;
  const KernelFunction& kernel = kernels_.For(step.kernel);
  std::vector<void*> arguments = Arguments(
      step, [&](int value) { return Pointer(value); }, [&](int value) { return Own(value); });
  if (plan_.guarded[static_cast<size_t>(s)] && !inside_[static_cast<size_t>(s)]) {
    RunGuarded(s, kernel, arguments);
  } else {
    CallKernel(s, kernel, arguments);
  }
  AddSeconds timer(figures_->compare_s);
  double remade_s = figures_->remake_s;
  for (int value : step.outputs) {
    size_t v = static_cast<size_t>(value);
    int counterpart = plan_.original_of[v];
    dirty_[v] = counterpart < 0 || references_.SurelyDiffers(image_, counterpart, Own(value)) ||
                std::memcmp(Own(value), OriginalValue(counterpart),
                            static_cast<size_t>(plan_.typed.Bytes(value))) != 0;
  }
  figures_->compare_s -= figures_->remake_s - remade_s;
}

void Executor::CallKernel(int s, const KernelFunction& kernel,
                          const std::vector<void*>& arguments) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  int64_t start = MonotonicNanoseconds();
  budget_.Start();
  Status status = plan_.typed.Call(kernel, step, arguments);
  budget_.Stop();
  CountKernel(start);
  if (!status.ok()) KernelFailed(s, status);
}

void Executor::CallPlain(int s, const KernelFunction& kernel,
                         const std::vector<const void*>& inputs,
                         const std::vector<bool>& constant) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  {
    AddSeconds timer(figures_->guard_copy_s);
    if (!plain_.Fill(plan_.typed, step, inputs, constant).ok()) EndOutOfMemory();
  }
  int64_t start = MonotonicNanoseconds();
  budget_.Start();
  Status status = plain_.Call(plan_.typed, step, kernel);
  budget_.Stop();
  CountKernel(start);
  if (!status.ok()) KernelFailed(s, status);
}

void Executor::CountKernel(int64_t start_ns) {
  double seconds = 1e-9 * static_cast<double>(MonotonicNanoseconds() - start_ns);
  record_.seconds += seconds;
  figures_->kernels_s += seconds;
}

// Guarded memory first: it ends the process at an access outside, before any damage is done. The
// values that count are those of plain memory.
void Executor::RunGuarded(int s, const KernelFunction& kernel,
                          const std::vector<void*>& arguments) {
  const Step& step = plan_.program().steps[static_cast<size_t>(s)];
  std::vector<const void*> inputs(arguments.begin(), arguments.begin() + step.inputs.size());
  std::vector<bool> constant;
  if (task_.guards) {
    for (int value : step.inputs) constant.push_back(IsConstant(value));
    AddSeconds timer(figures_->guard_copy_s);
    guard_budget_.Start();
    guards_.Call(plan_.typed, step, s, kernel, inputs, constant);
    guard_budget_.Stop();
    figures_->guard_copy_s -= guards_.run_s() - figures_->guard_run_s;
    figures_->guard_run_s = guards_.run_s();
  }
  // Having come back from guarded memory, it writes nowhere else in plain memory either.
  CallPlain(s, kernel, inputs, constant);
  AddSeconds timer(figures_->guard_copy_s);
  bool differs = false;
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    size_t bytes = static_cast<size_t>(plan_.typed.Bytes(step.outputs[i]));
    if (task_.guards && std::memcmp(guards_.Output(i), plain_.Output(i), bytes) != 0)
      differs = true;
    std::memcpy(arguments[step.inputs.size() + i], plain_.Output(i), bytes);
  }
  if (!differs) {
    // It touches the same elements on every image, all of them inside: memory no longer matters.
    inside_[static_cast<size_t>(s)] =
        task_.guards && plan_.program().kernels.at(step.kernel).fixed_accesses;
    return;
  }
  guard_budget_.Start();
  guards_.FindReader(plan_.typed, step, kernel, inputs);
  guard_budget_.Stop();
}

void* Executor::Own(int value) {
  const size_t v = static_cast<size_t>(value);
  const int64_t offset = scratch_.offsets[v];
  if (offset < 0) return own_.Get(v, plan_.typed.Bytes(value));
  return static_cast<char*>(own_.Get(scratch_.offsets.size(), scratch_.bytes)) + offset;
}

const void* Executor::Pointer(int value) {
  size_t v = static_cast<size_t>(value);
  if (dirty_[v]) return constant_[v] != nullptr ? constant_[v] : Own(value);
  int counterpart = plan_.original_of[v];
  if (sabotage_ == Sabotage::kStaleReference && image_ >= 0 &&
      original_.Constant(counterpart) == nullptr) {
    int images = static_cast<int>(references_.runs().size());
    const void* stale = references_.Value((image_ + images - 1) % images, counterpart);
    if (stale != nullptr) return stale;
  }
  return OriginalValue(counterpart);
}

// A weight, or what the original computes of weights: Pointer gives the same for every image.
bool Executor::IsConstant(int value) const {
  size_t v = static_cast<size_t>(value);
  if (dirty_[v]) return constant_[v] != nullptr;
  return original_.Constant(plan_.original_of[v]) != nullptr;
}

const void* Executor::OriginalValue(int value) {
  if (const void* constant = original_.Constant(value)) return constant;
  if (const void* kept = references_.Value(image_, value)) return kept;
  size_t v = static_cast<size_t>(value);
  if (!made_again_[v]) MakeAgain(original_.Producer(value));
  return again_.Get(v, original_.typed().Bytes(value));
}

void Executor::MakeAgain(int s) {
  const Step& step = original_.program().steps[static_cast<size_t>(s)];
  std::vector<void*> arguments = Arguments(
      step, [&](int value) { return OriginalValue(value); },
      [&](int value) {
        return again_.Get(static_cast<size_t>(value), original_.typed().Bytes(value));
      });
  double start = SecondsNow();
  Status status = original_.typed().Call(original_.StepKernel(s), step, arguments);
  figures_->remake_s += SecondsNow() - start;
  if (!status.ok())
    EndChild(Outcome::kToolError,
             "step '" + step.name + "' of the original: " + status.error().message);
  for (int value : step.outputs) made_again_[static_cast<size_t>(value)] = true;
}

int LastWriter(const Program& program) {
  for (size_t s = program.steps.size(); s-- > 0;)
    for (int value : program.steps[s].outputs)
      if (value == program.outputs[0]) return static_cast<int>(s);
  return -1;
}

void Executor::Finish(SharedRegion& region, int position) {
  const Program& mutant = plan_.program();
  const Program& original = original_.program();
  const OriginalRun& run = references_.runs()[static_cast<size_t>(image_)];
  std::vector<Ranked> top = run.top;
  OutputDifference difference;
  for (size_t i = 0; i < mutant.outputs.size(); ++i) {
    size_t v = static_cast<size_t>(mutant.outputs[i]);
    if (!dirty_[v] && plan_.original_of[v] == original.outputs[i]) continue;
    const TensorType& type = mutant.values[v].type;
    const TensorType& other = original.values[static_cast<size_t>(original.outputs[i])].type;
    Result<std::vector<float>> ours = ToFloats(Pointer(mutant.outputs[i]), type);
    Result<std::vector<float>> theirs = ToFloats(OriginalValue(original.outputs[i]), other);
    if (!ours.ok()) EndChild(Outcome::kToolError, ours.error().message);
    if (!theirs.ok()) EndChild(Outcome::kToolError, theirs.error().message);
    CompareOutputs(*ours, *theirs, &difference);
    if (i == 0) top = TopK(ours->data(), static_cast<int64_t>(ours->size()), original_.top_k());
  }
  record_.nonfinite = difference.nonfinite;
  record_.max_abs_diff = difference.max_abs;
  if (difference.any && !record_.infected) {  // all of its values have new names
    record_.infected = 1;
    record_.first_diverging = LastWriter(mutant);
  }
  ++figures_->images;
  figures_->steps += steps_;
  figures_->steps_run += steps_run_;
  if (task_.full_timing) TimeWholeProgram();
  region.progress().inside = std::ranges::equal(
      plan_.guarded, inside_, [](bool guarded, bool inside) { return !guarded || inside; });
  region.Append(record_, top);
  const OriginalRun& judged =
      references_.runs()[static_cast<size_t>(task_.images[static_cast<size_t>(position)])];
  if (task_.stop_at_kill && KilledByTop1(judged.top, top)) EndChild(Outcome::kFinished);
}

// All image steps of the mutant on what their inputs are now, once to warm up and five times; the
// median. Outputs go where RunStep put them, so nothing changes.
void Executor::TimeWholeProgram() {
  constexpr int kRepeats = 5;
  std::vector<double> times;
  const std::vector<Step>& steps = plan_.program().steps;
  for (int repeat = 0; repeat <= kRepeats; ++repeat) {
    record_.seconds = 0;
    budget_.Reset(CpuLimit(limits_, references_.runs()[static_cast<size_t>(image_)].seconds));
    for (size_t s = 0; s < steps.size(); ++s) {
      if (steps[s].weight_only) continue;
      const KernelFunction& kernel = kernels_.For(steps[s].kernel);
      ChildProgress().step = static_cast<int>(s);
      std::vector<void*> arguments = Arguments(
          steps[s], [&](int value) { return Pointer(value); },
          [&](int value) { return Own(value); });
      if (plan_.guarded[s]) {
        CallPlain(static_cast<int>(s), kernel,
                  {arguments.begin(), arguments.begin() + steps[s].inputs.size()}, {});
      } else {
        CallKernel(static_cast<int>(s), kernel, arguments);
      }
    }
    if (repeat > 0) times.push_back(record_.seconds);
  }
  std::sort(times.begin(), times.end());
  record_.seconds = times[times.size() / 2];
}

void Executor::KernelFailed(int s, const Status& status) {
  ChildProgress().step = s;
  EndChild(Outcome::kKernelError, status.error().message);
}

}  // namespace mutatenn
