// A mutant's two waves over a batch of images, and the fates that come of them.
#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "worker/device_mutant.h"
#include "worker/executor.h"

namespace mutatenn {
namespace {

// Words of the report before those of the images: what mutants share is damaged.
constexpr int64_t kSharedFlags = 2;

}  // namespace

int64_t DeviceMutant::Batch::FlagsAt(int wave, size_t run) const {
  const int64_t words = executor.layout_.FlagWords();
  return kSharedFlags +
         words * (static_cast<int64_t>(wave) * std::ssize(runs) + static_cast<int64_t>(run));
}

// `own`: what the mutant computed, not the original's value.
Result<void*> DeviceMutant::At(Batch& batch, Run& run, int value, bool own) {
  const int counterpart = static_cast<int>(Counterpart(value));
  switch (home(value)) {
    case Home::kShared:
      return batch.executor.constants_.at(counterpart);
    case Home::kLikeTheirs:
      return own ? run.own->at(counterpart) : run.original->values.at(counterpart);
    case Home::kWeight:
    case Home::kExtra:
      break;
  }
  const bool weight = home(value) == Home::kWeight;
  DeviceMemory& memory = weight ? own_weights_[value] : run.extra[value];
  if (memory.data() == nullptr) {
    const int64_t bytes = plan_->typed.Bytes(value);
    memory = TRY(DeviceMemory::Allocate(batch.executor.device_, bytes + kTail));
    TRY(memory.Fill());
    if (weight) TRY(memory.Write(constant_[static_cast<size_t>(value)], bytes));
  }
  return memory.data();
}

Status DeviceMutant::RunStep(Batch& batch, Run& run, int s) {
  const Step& step = plan_->program().steps[static_cast<size_t>(s)];
  std::vector<void*> arguments;
  arguments.reserve(step.inputs.size() + step.outputs.size());
  for (int value : step.inputs)
    arguments.push_back(TRY(At(batch, run, value, !run.own_is_theirs[static_cast<size_t>(value)])));
  for (int value : step.outputs) arguments.push_back(TRY(At(batch, run, value, true)));
  return batch.executor.Call(kernels_[static_cast<size_t>(s)], plan_->typed, step, arguments)
      .With("in step " + step.name);
}

// Runs of neighbours are filled together.
Status DeviceMutant::FillOutputs(Batch& batch, Run& run, const std::vector<int>& steps) {
  std::vector<std::pair<int64_t, int64_t>> pieces;  // from, to
  for (int s : steps)
    for (int value : plan_->program().steps[static_cast<size_t>(s)].outputs) {
      if (home(value) == Home::kExtra) {
        TRY(At(batch, run, value, true));
        TRY(run.extra.at(value).Fill());
        continue;
      }
      const auto& place = batch.executor.layout_[static_cast<int>(Counterpart(value))];
      pieces.emplace_back(place.offset, place.offset + place.room);
    }
  std::sort(pieces.begin(), pieces.end());
  for (size_t i = 0; i < pieces.size();) {
    auto [from, to] = pieces[i];
    for (++i; i < pieces.size() && pieces[i].first == to; ++i) to = pieces[i].second;
    batch.executor.Launching();
    TRY(run.own->whole.Fill(from, to - from));
  }
  return Ok();
}

// Launches steps of one image, and the comparison of all that they write.
Status DeviceMutant::RunSteps(Batch& batch, size_t index, const std::vector<int>& steps, int wave) {
  Run& run = batch.runs[index];
  TRY(FillOutputs(batch, run, steps));
  int64_t begin = INT64_MAX, end = 0;
  for (int s : steps) {
    TRY(RunStep(batch, run, s));
    for (int value : plan_->program().steps[static_cast<size_t>(s)].outputs) {
      if (home(value) == Home::kExtra) continue;
      const auto& place = batch.executor.layout_[static_cast<int>(Counterpart(value))];
      begin = std::min(begin, place.chunk());
      end = std::max(end, place.chunk() + place.chunks());
    }
  }
  if (begin >= end) return Ok();
  return batch.executor.Differ(run.own->whole, run.original->values.whole, batch.executor.table_,
                               batch.report, begin, batch.FlagsAt(wave, index), end - begin);
}

Status DeviceMutant::TakeFlags(Batch& batch, size_t index, const std::vector<int>& steps, int wave,
                               std::optional<OutOfBounds>* outside) {
  Run& run = batch.runs[index];
  const uint32_t* flags = batch.words.data() + batch.FlagsAt(wave, index);
  for (int s : steps) {
    const Step& step = plan_->program().steps[static_cast<size_t>(s)];
    for (size_t o = 0; o < step.outputs.size(); ++o) {
      const size_t v = static_cast<size_t>(step.outputs[o]);
      if (homes_[v] == Home::kExtra) {
        run.dirty[v] = true;
        // Its tail is looked at where a mutated kernel wrote it; others stay within their memory.
        if (plan_->guarded[static_cast<size_t>(s)]) TRY(FindOutside(batch, run, s, o, outside));
        continue;
      }
      const int counterpart = plan_->original_of[v];
      const auto& place = batch.executor.layout_[counterpart];
      run.dirty[v] = flags[2 * place.number] != 0;
      if (run.dirty[v] && place.bytes % 4 != 0) {  // the last word is not all the value's
        std::vector<char> now(static_cast<size_t>(place.bytes));
        TRY(batch.executor.Read(run.own->whole, now.data(), place.bytes, place.offset));
        run.dirty[v] = std::memcmp(now.data(), batch.executor.Reference(run.image, counterpart),
                                   now.size()) != 0;
        TRY(FindOutside(batch, run, s, o, outside));
      }
      if (flags[2 * place.number + 1] != 0) TRY(FindOutside(batch, run, s, o, outside));
    }
  }
  return Ok();
}

Status DeviceMutant::FindOutside(Batch& batch, Run& run, int s, size_t output,
                                 std::optional<OutOfBounds>* outside) {
  if (*outside) return Ok();
  const Step& step = plan_->program().steps[static_cast<size_t>(s)];
  const int value = step.outputs[output];
  const int64_t bytes = plan_->typed.Bytes(value);
  const bool extra = home(value) == Home::kExtra;
  const auto* place =
      extra ? nullptr : &batch.executor.layout_[static_cast<int>(Counterpart(value))];
  std::vector<char> tail(static_cast<size_t>(extra ? kTail : place->room - bytes));
  TRY(batch.executor.Read(extra ? run.extra.at(value) : run.own->whole, tail.data(),
                          std::ssize(tail), bytes + (extra ? 0 : place->offset)));
  const auto wrong =
      std::find_if(tail.begin(), tail.end(), [](char byte) { return byte != '\xff'; });
  if (wrong != tail.end())
    *outside = {step.name, "output " + std::to_string(output), bytes + (wrong - tail.begin())};
  return Ok();
}

// What an image's infections may reach: steps to run (again), on the mutant's own values. What the
// first wave ran on values that are the original's stays as it is.
std::vector<int> DeviceMutant::SecondWave(Run& run) const {
  const Program& program = plan_->program();
  std::vector<bool> may = run.dirty, fresh(program.values.size());
  std::vector<int> steps;
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    if (step.weight_only) continue;
    const bool due = std::any_of(step.inputs.begin(), step.inputs.end(), [&](int value) {
      const size_t v = static_cast<size_t>(value);
      return homes_[v] == Home::kExtra ? fresh[v] : homes_[v] == Home::kLikeTheirs && may[v];
    });
    if (!due) continue;
    steps.push_back(static_cast<int>(s));
    for (int value : step.outputs) {
      const size_t v = static_cast<size_t>(value);
      may[v] = fresh[v] = true;
    }
  }
  for (size_t v = 0; v < may.size(); ++v) run.own_is_theirs[v] = !may[v];
  return steps;
}

Result<DeviceMutant::Outcome> DeviceMutant::RunBatch(DeviceExecutor& executor,
                                                     const std::vector<int>& images) {
  Outcome outcome;
  const double began = executor.figures_.busy_s;
  const size_t values = plan_->program().values.size();
  Batch batch{executor, {}, {}, {}};
  std::vector<DeviceExecutor::Image*> originals;
  for (int image : images) {
    Run run;
    run.image = image;
    run.original = TRY(executor.Resident(image));
    originals.push_back(run.original);
    run.dirty = constant_dirty_;
    run.own_is_theirs.assign(values, true);
    batch.runs.push_back(std::move(run));
  }
  TRY(executor.Slot(static_cast<int>(images.size()) - 1));
  for (size_t i = 0; i < batch.runs.size(); ++i)
    batch.runs[i].own = TRY(executor.Slot(static_cast<int>(i)));
  const int64_t outputs_at = Aligned(batch.OutputsAt());
  batch.report = TRY(DeviceMemory::Allocate(
      executor.device_, outputs_at + output_bytes_ * static_cast<int64_t>(images.size())));
  TRY(executor.ZeroFlags(batch.report, outputs_at));
  batch.words.resize(static_cast<size_t>(batch.report.bytes() / 4));

  std::vector<int> first = first_wave_;
  if (job_.slow_oracle) {  // every step, on its own values
    first.clear();
    const std::vector<Step>& steps = plan_->program().steps;
    for (size_t s = 0; s < steps.size(); ++s) {
      if (steps[s].weight_only) continue;
      first.push_back(static_cast<int>(s));
      for (int value : steps[s].outputs)
        for (Run& run : batch.runs) run.own_is_theirs[static_cast<size_t>(value)] = false;
    }
  }
  for (size_t i = 0; i < batch.runs.size(); ++i) TRY(RunSteps(batch, i, first, 0));
  const bool check = runs_mutated_kernel();
  if (check) TRY(executor.CheckShared(originals, batch.report, 0));
  const int64_t flags = 4 * batch.FlagsAt(1, 0);
  TRY(executor.Read(batch.report, batch.words.data(), flags));
  for (size_t i = 0; i < batch.runs.size(); ++i)
    TRY(TakeFlags(batch, i, first, 0, &outcome.out_of_bounds));

  std::vector<std::vector<int>> second(images.size());
  bool more = false, mutated_again = false;
  for (size_t i = 0; i < batch.runs.size(); ++i) {
    Run& run = batch.runs[i];
    if (!job_.slow_oracle) second[i] = SecondWave(run);
    TRY(RunSteps(batch, i, second[i], 1));
    for (int s : second[i]) mutated_again |= plan_->guarded[static_cast<size_t>(s)];
    const std::vector<int>& outputs = plan_->program().outputs;
    for (size_t o = 0; o < outputs.size(); ++o) {
      const size_t v = static_cast<size_t>(outputs[o]);
      if (homes_[v] != Home::kExtra && (homes_[v] != Home::kLikeTheirs || run.own_is_theirs[v]))
        continue;
      const bool extra = homes_[v] == Home::kExtra;
      const int64_t to = outputs_at + static_cast<int64_t>(i) * output_bytes_ + output_offsets_[o];
      executor.Launching();
      TRY(batch.report.CopyFrom(
          extra ? run.extra.at(outputs[o]) : run.own->whole,
          extra ? 0 : executor.layout_[static_cast<int>(Counterpart(outputs[o]))].offset, to,
          plan_->typed.Bytes(outputs[o])));
      more = true;
    }
    more |= !second[i].empty();
  }
  if (more) {
    if (mutated_again) TRY(executor.CheckShared(originals, batch.report, 0));
    TRY(executor.Read(batch.report, batch.words.data(), batch.report.bytes() / 4 * 4));
    for (size_t i = 0; i < batch.runs.size(); ++i)
      TRY(TakeFlags(batch, i, second[i], 1, &outcome.out_of_bounds));
  }
  const double seconds =
      (executor.figures_.busy_s - began) / static_cast<double>(std::max<size_t>(1, images.size()));
  outcome.damaged = batch.words[0] != 0;
  if (outcome.damaged) {
    OutOfBounds found;
    TRY(executor.Repair(images, &found));
    found.step = culprit_;
    if (!outcome.out_of_bounds && !found.buffer.empty()) outcome.out_of_bounds = found;
  }
  for (size_t i = 0; i < batch.runs.size(); ++i) {
    const char* outputs = reinterpret_cast<const char*>(batch.words.data()) + outputs_at +
                          static_cast<int64_t>(i) * output_bytes_;
    outcome.fates.push_back(TRY(Finish(batch, i, outputs)));
    outcome.fates.back().seconds = seconds;
    if (job_.full_timing)
      TRY(TimeWholeProgram(batch, batch.runs[i], &outcome.fates.back().seconds));
  }
  return outcome;
}

// All image steps on the mutant's own values, once to warm up and five times; the median.
Status DeviceMutant::TimeWholeProgram(Batch& batch, Run& run, double* seconds) {
  constexpr int kRepeats = 5;
  const std::vector<Step>& steps = plan_->program().steps;
  std::vector<int> all;
  for (size_t s = 0; s < steps.size(); ++s)
    if (!steps[s].weight_only) all.push_back(static_cast<int>(s));
  for (int s : all)
    for (int value : steps[static_cast<size_t>(s)].outputs)
      run.own_is_theirs[static_cast<size_t>(value)] = false;
  std::vector<double> times;
  for (int repeat = 0; repeat <= kRepeats; ++repeat) {
    TRY(FillOutputs(batch, run, all));
    TRY(batch.executor.Wait());
    const double start = SecondsNow();
    for (int s : all) TRY(RunStep(batch, run, s));
    TRY(batch.executor.Wait());
    if (repeat > 0) times.push_back(SecondsNow() - start);
  }
  std::sort(times.begin(), times.end());
  *seconds = times[times.size() / 2];
  return Ok();
}

Result<Fate> DeviceMutant::Finish(Batch& batch, size_t index, const char* outputs) {
  const Run& own = batch.runs[index];
  const Program& mutant = plan_->program();
  const Original& original = batch.executor.original();
  const OriginalRun& run = batch.executor.runs_[static_cast<size_t>(own.image)];
  Fate fate{.image = run.image, .top = run.top};
  OutputDifference difference;
  auto host = [&](int theirs_at) {
    return original.Constant(theirs_at) != nullptr ? original.Constant(theirs_at)
                                                   : batch.executor.Reference(own.image, theirs_at);
  };
  for (size_t i = 0; i < mutant.outputs.size(); ++i) {
    const size_t v = static_cast<size_t>(mutant.outputs[i]);
    const int theirs_at = original.program().outputs[i];
    if (!own.dirty[v] && plan_->original_of[v] == theirs_at) continue;
    const void* data = own.dirty[v] && homes_[v] != Home::kWeight ? outputs + output_offsets_[i]
                       : homes_[v] == Home::kWeight               ? constant_[v]
                                                                  : host(plan_->original_of[v]);
    const auto ours = TRY(ToFloats(data, mutant.values[v].type));
    const auto theirs = TRY(
        ToFloats(host(theirs_at), original.program().values[static_cast<size_t>(theirs_at)].type));
    CompareOutputs(ours, theirs, &difference);
    if (i == 0) fate.top = TopK(ours.data(), std::ssize(ours), original.top_k());
  }
  fate.nonfinite = difference.nonfinite;
  fate.max_abs_diff = difference.max_abs;
  int first = -1;
  for (size_t s = 0; s < mutant.steps.size(); ++s) {
    const std::vector<int>& written = mutant.steps[s].outputs;
    if (std::none_of(written.begin(), written.end(), [&](int value) {
          const size_t v = static_cast<size_t>(value);
          return own.dirty[v] && plan_->original_of[v] >= 0;
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
  return fate;
}

}  // namespace mutatenn
