// Sets of values in host memory, and the steps between them.
#include "worker/probes.h"

#include <cstring>

namespace mutatenn {

Probes::Probes(const Original& original, Call call) : original_(original), call_(std::move(call)) {
  if (call_) return;
  call_ = [&original](int step, const std::vector<void*>& arguments) {
    const size_t s = static_cast<size_t>(step);
    return original.typed().Call(original.StepKernel(step), original.program().steps[s], arguments);
  };
}

Status Probes::Check(int value) const {
  if (value < 0 || value >= std::ssize(original_.program().values))
    return Fail(Code::kInvalidInput, "a probe names value ", std::to_string(value), " of ",
                std::to_string(original_.program().values.size()));
  return Ok();
}

Result<char*> Probes::Make(const std::string& set, int value) {
  TRY(Check(value));
  Buffer& buffer = sets_[set][value];
  const auto bytes = static_cast<size_t>(Aligned(original_.typed().Bytes(value)) + kAlignment);
  if (buffer == nullptr)
    buffer.reset(static_cast<char*>(std::aligned_alloc(static_cast<size_t>(kAlignment), bytes)));
  if (buffer == nullptr) return Fail(Code::kUnavailable, "no memory for a step's values");
  std::memset(buffer.get(), 0xff, bytes);
  return buffer.get();
}

Result<const char*> Probes::Find(const std::string& set, int value) const {
  TRY(Check(value));
  if (const auto* constant = static_cast<const char*>(original_.Constant(value))) return constant;
  if (const auto found = sets_.find(set); found != sets_.end())
    if (const auto at = found->second.find(value); at != found->second.end())
      return static_cast<const char*>(at->second.get());
  return Fail(Code::kInvalidInput, "value '",
              original_.program().values[static_cast<size_t>(value)].name, "' is not in the set '",
              set, "'");
}

Status Probes::RunStep(const Probe::Run& run) {
  if (run.step < 0 || run.step >= std::ssize(original_.program().steps))
    return Fail(Code::kInvalidInput, "a probe names step ", std::to_string(run.step), " of ",
                std::to_string(original_.program().steps.size()));
  const Step& step = original_.program().steps[static_cast<size_t>(run.step)];
  std::vector<void*> arguments;
  for (int value : step.inputs) {
    const char* input = original_.Constant(value) != nullptr ? TRY(Find("", value)) : nullptr;
    for (size_t i = 0; i < run.from.size() && input == nullptr; ++i)
      if (auto found = Find(run.from[i], value); found.ok()) input = *found;
    if (input == nullptr)
      return Fail(Code::kInvalidInput, "step '", step.name, "': no set has its input '",
                  original_.program().values[static_cast<size_t>(value)].name, "'");
    arguments.push_back(const_cast<char*>(input));
  }
  for (int value : step.outputs) arguments.push_back(TRY(Make(run.to, value)));
  return call_(run.step, arguments).With("step '" + step.name + "'");
}

Result<Probed> Probes::Do(const Probe& probe) {
  if (probe.fresh) sets_.clear();
  for (const Probe::Put& put : probe.puts) {
    TRY(Check(put.value));
    const Value& value = original_.program().values[static_cast<size_t>(put.value)];
    if (std::ssize(put.bytes) != value.type.Bytes())
      return Fail(Code::kInvalidInput, "value '", value.name, "' has ",
                  std::to_string(value.type.Bytes()), " bytes, a probe gives it ",
                  std::to_string(put.bytes.size()));
    std::memcpy(TRY(Make(put.set, put.value)), put.bytes.data(), put.bytes.size());
  }
  for (const Probe::Run& run : probe.runs) TRY(RunStep(run));
  Probed probed;
  for (const Probe::Compare& compare : probe.compares) {
    TRY(Check(compare.value));
    const TensorType& type = original_.program().values[static_cast<size_t>(compare.value)].type;
    probed.differences.push_back(
        Differences(TRY(ToFloats(TRY(Find(compare.set, compare.value)), type)),
                    TRY(ToFloats(TRY(Find(compare.with, compare.value)), type))));
  }
  for (const Probe::Get& get : probe.gets) {
    const char* data = TRY(Find(get.set, get.value));
    probed.values.emplace_back(data, static_cast<size_t>(original_.typed().Bytes(get.value)));
  }
  for (auto& [name, set] : sets_)
    for (int value : probe.forget) set.erase(value);
  return probed;
}

}  // namespace mutatenn
