// One aligned step out of two programs: its inputs taken from the first side, its steps by name, so
// that programs with other kernels or packed weights can run it too.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "campaign/explain.h"

namespace mutatenn {
namespace {

constexpr const char* kOwn = "own";

const Value& ValueAt(const Program& program, int value) {
  return program.values[static_cast<size_t>(value)];
}

Result<std::vector<float>> Floats(const std::string& bytes, const TensorType& type) {
  if (type.dtype != "float32")
    return Fail(Code::kUnsupported, "a step of type ", type.dtype, " cannot be explained");
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

Result<StepAlone> StepAlone::Prepare(Side& a, Side& b, int step, const CompareInput& input) {
  const std::vector<AlignedStep> aligned = Align(a.program, b.program);
  const AlignedStep& wanted = aligned.at(static_cast<size_t>(step));
  StepAlone alone;
  alone.a_ = &a;
  alone.b_ = &b;
  for (int s : wanted.steps_a)
    alone.steps_a_.push_back(a.program.steps[static_cast<size_t>(s)].name);
  for (int s : wanted.steps_b)
    alone.steps_b_.push_back(b.program.steps[static_cast<size_t>(s)].name);
  for (size_t i = 0; i < wanted.values_a.size(); ++i) {
    alone.outputs_a_.push_back(ValueAt(a.program, wanted.values_a[i]).name);
    alone.outputs_b_.push_back(ValueAt(b.program, wanted.values_b[i]).name);
    alone.types_.push_back(ValueAt(a.program, wanted.values_a[i]).type);
    TRY(Floats("", alone.types_.back()));
  }
  alone.inputs_a_ = {ValueAt(a.program, a.program.inputs[0]).name};
  alone.inputs_b_ = {ValueAt(b.program, b.program.inputs[0]).name};
  alone.input_bytes_ = {input.bytes};
  Probe probe{.fresh = true};
  probe.puts.push_back({kOwn, a.program.inputs[0], input.bytes});
  for (int s = 0; s < wanted.step_a; ++s)
    if (!a.program.steps[static_cast<size_t>(s)].weight_only)
      probe.runs.push_back({s, {kOwn}, kOwn});
  for (int i : wanted.inputs) {
    const AlignedStep& read = aligned[static_cast<size_t>(i)];
    for (size_t v = 0; v < read.values_a.size(); ++v) {
      probe.gets.push_back({kOwn, read.values_a[v]});
      alone.inputs_a_.push_back(ValueAt(a.program, read.values_a[v]).name);
      alone.inputs_b_.push_back(ValueAt(b.program, read.values_b[v]).name);
    }
  }
  for (std::string& bytes : TRY(a.session->Run(probe).With(a.name)).values)
    alone.input_bytes_.push_back(std::move(bytes));
  return alone;
}

std::vector<std::string> StepAlone::KernelsOf(const Side& side) const {
  std::vector<std::string> keys;
  for (const Step& step :
       side.generator->info().programs.at(static_cast<size_t>(side.target)).steps)
    for (const std::string& name : &side == a_ ? steps_a_ : steps_b_)
      if (step.name == name && std::find(keys.begin(), keys.end(), step.kernel) == keys.end())
        keys.push_back(step.kernel);
  return keys;
}

Result<std::vector<std::string>> StepAlone::Run(Side& side, const Program& program) const {
  const bool first = &side == a_;
  LoadRequest request = side.request;
  request.program = program;
  TRY(side.session->Load(request).With(side.name));
  Probe probe{.fresh = true};
  const auto& inputs = first ? inputs_a_ : inputs_b_;
  for (size_t i = 0; i < inputs.size(); ++i)
    probe.puts.push_back({kOwn, program.FindValue(inputs[i]), input_bytes_[i]});
  const auto& steps = first ? steps_a_ : steps_b_;
  for (size_t s = 0; s < program.steps.size(); ++s)
    if (std::find(steps.begin(), steps.end(), program.steps[s].name) != steps.end())
      probe.runs.push_back({static_cast<int>(s), {kOwn}, kOwn});
  for (const std::string& name : first ? outputs_a_ : outputs_b_)
    probe.gets.push_back({kOwn, program.FindValue(name)});
  return TRY(side.session->Run(probe).With(side.name)).values;
}

double StepAlone::Difference(const std::vector<std::string>& a,
                             const std::vector<std::string>& b) const {
  ValueDifference sum;
  for (size_t i = 0; i < types_.size(); ++i)
    Add(Differences(Floats(b[i], types_[i]).value(), Floats(a[i], types_[i]).value()), &sum);
  return sum.nonfinite > 0 ? std::numeric_limits<double>::infinity() : sum.largest_abs;
}

}  // namespace mutatenn
