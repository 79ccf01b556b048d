// Programs beside the original, step by step, and what they make compared element by element.
#include "worker/floors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "worker/plan.h"

namespace mutatenn {
namespace {

using Elements = std::vector<float>;

// A program with its kernels, and memory for its values of one image.
struct Variant {
  const Place* place = nullptr;
  MutantPlan plan;
  std::vector<KernelFunction> kernels;    // by step; none: weight-only, or the device refuses it
  bool whole = true;                      // the device takes all of them
  std::map<std::string, int> step_named;  // those of other code than the original's
  std::set<std::string> same;             // those that came out as the same code
  Arena memory;
  std::vector<void*> own;  // by value

  static Result<Variant> Make(const Original& original, const Place& place,
                              const MutantProgram& program) {
    Variant variant;
    variant.place = &place;
    variant.plan = TRY(MakePlan(original, program));
    const Program& made = variant.plan.program();
    variant.kernels.resize(made.steps.size());
    variant.own.assign(made.values.size(), nullptr);
    int64_t bytes = 0;
    for (const Step& step : made.steps)
      for (int value : step.outputs) bytes += Aligned(variant.plan.typed.Bytes(value));
    variant.memory = TRY(Arena::Make(bytes));
    for (size_t s = 0; s < made.steps.size(); ++s) {
      const Step& step = made.steps[s];
      if (step.weight_only) continue;
      for (int value : step.outputs)
        variant.own[static_cast<size_t>(value)] =
            variant.memory.Allocate(variant.plan.typed.Bytes(value));
      const Kernel& kernel = made.kernels.at(step.kernel);
      if (const KernelFunction* same = original.SameKernel(kernel)) {
        variant.kernels[s] = *same;
      } else {
        auto loaded = LoadKernel((original.root() / kernel.library).string(), kernel.symbol);
        if (!loaded.ok() && loaded.error().code != Code::kTvm) return loaded.error();
        if (loaded.ok()) variant.kernels[s] = *loaded;
        variant.whole = variant.whole && loaded.ok();
      }
      if (variant.plan.changed[s])
        variant.step_named[step.name] = static_cast<int>(s);
      else if (!original.program().kernels.contains(step.kernel))
        variant.same.insert(step.name);
    }
    return variant;
  }

  // Runs a step on `input` (by value of this program) into `own`; false where the device refuses.
  template <class Input>
  Result<bool> Run(int s, Input&& input) {
    KernelFunction& kernel = kernels[static_cast<size_t>(s)];
    if (!kernel) return false;
    const Step& step = plan.program().steps[static_cast<size_t>(s)];
    for (int value : step.inputs)
      if (input(value) == nullptr)
        return Fail(Code::kInvalidInput, "step '", step.name, "' of ", "another rounding reads '",
                    plan.program().values[static_cast<size_t>(value)].name,
                    "', which the original does not have");
    std::vector<void*> arguments =
        Arguments(step, input, [&](int value) { return own[static_cast<size_t>(value)]; });
    const Status called = place->call(plan.typed, kernel, step, arguments);
    if (called.ok()) return true;
    if (called.error().code != Code::kTvm) return called.error();
    kernel = {};
    return whole = false;
  }

  Result<Elements> Own(int value) const {
    return ToFloats(own[static_cast<size_t>(value)],
                    plan.program().values[static_cast<size_t>(value)].type);
  }
};

void Count(const Elements& original, const std::vector<Elements>& roundings,
           const std::optional<Elements>& exact, StepFloor* floor) {
  ++floor->images;
  if (!exact) floor->distance = std::numeric_limits<double>::quiet_NaN();
  for (size_t i = 0; i < original.size(); ++i) {
    double low = original[i], high = original[i];
    bool finite = std::isfinite(original[i]) && (!exact || std::isfinite((*exact)[i]));
    for (const Elements& rounding : roundings) {
      finite = finite && std::isfinite(rounding[i]);
      low = std::min<double>(low, rounding[i]);
      high = std::max<double>(high, rounding[i]);
    }
    if (!finite) continue;
    floor->spread = std::max(floor->spread, high - low);
    floor->magnitude = std::max({floor->magnitude, std::abs(low), std::abs(high)});
    if (exact) floor->distance = std::max({floor->distance, (*exact)[i] - low, high - (*exact)[i]});
  }
}

class Measurement {
 public:
  Measurement(const Original& original, const Place& place) : original_(original), place_(place) {}

  Status Open(const FloorRequest& request) {
    for (const MutantProgram& program : request.roundings)
      roundings_.push_back(TRY(Variant::Make(original_, place_, program)));
    if (request.exact) exact_ = TRY(Variant::Make(original_, place_, *request.exact));
    memory_ = TRY(Arena::Make(original_.reference_bytes()));
    values_.assign(original_.program().values.size(), nullptr);
    for (int s : original_.image_steps())
      for (int value : StepAt(s).outputs)
        values_[static_cast<size_t>(value)] = memory_.Allocate(original_.typed().Bytes(value));
    return Ok();
  }

  Status Run(const std::string& image) {
    values_[static_cast<size_t>(original_.input())] = const_cast<void*>(TRY(place_.input(image)));
    for (int s : original_.image_steps()) {
      const Step& step = StepAt(s);
      std::vector<void*> arguments = Arguments(
          step, [&](int value) { return Value(value); },
          [&](int value) { return values_[static_cast<size_t>(value)]; });
      TRY(place_.call(original_.typed(), original_.StepKernel(s), step, arguments));
      TRY(CountStep(step));
    }
    for (Variant& variant : roundings_) TRY(RunWhole(variant));
    if (exact_) TRY(RunWhole(*exact_));
    return CountOutputs();
  }

  std::vector<StepFloor> Floors() const {
    std::vector<StepFloor> floors;
    for (const auto& [key, floor] : floors_) floors.push_back(floor);
    return floors;
  }

 private:
  const Step& StepAt(int s) const { return original_.program().steps[static_cast<size_t>(s)]; }
  const void* Value(int value) const {
    const void* constant = original_.Constant(value);
    return constant != nullptr ? constant : values_[static_cast<size_t>(value)];
  }
  Result<Elements> OriginalElements(int value) const {
    return ToFloats(Value(value), original_.program().values[static_cast<size_t>(value)].type);
  }
  StepFloor& FloorOf(const std::string& step, size_t output) {
    StepFloor& floor = floors_[{step, output}];
    floor.step = step;
    floor.output = static_cast<int>(output);
    return floor;
  }

  // The step by every program that has it in other code, on the original's values.
  Status CountStep(const Step& step) {
    auto run = [&](Variant& variant) -> Result<std::vector<Elements>> {
      std::vector<Elements> outputs;
      const auto found = variant.step_named.find(step.name);
      if (found == variant.step_named.end()) return outputs;
      const std::vector<int>& original_of = variant.plan.original_of;
      const bool ran = TRY(variant.Run(found->second, [&](int value) -> const void* {
        const int counterpart = original_of[static_cast<size_t>(value)];
        return counterpart < 0 ? nullptr : Value(counterpart);
      }));
      if (!ran) return outputs;
      for (int value : variant.plan.program().steps[static_cast<size_t>(found->second)].outputs)
        outputs.push_back(TRY(variant.Own(value)));
      return outputs;
    };
    std::vector<std::vector<Elements>> others;
    for (Variant& variant : roundings_)
      if (auto outputs = TRY(run(variant)); !outputs.empty()) others.push_back(std::move(outputs));
    std::vector<Elements> exact;
    if (exact_) exact = TRY(run(*exact_));
    if (others.empty() && exact.empty()) return Ok();
    if (exact_ && exact_->same.contains(step.name))  // no arithmetic: a copy is exact
      for (int value : step.outputs) exact.push_back(TRY(OriginalElements(value)));
    for (size_t o = 0; o < step.outputs.size(); ++o) {
      std::vector<Elements> roundings;
      for (const std::vector<Elements>& outputs : others) roundings.push_back(outputs.at(o));
      Count(TRY(OriginalElements(step.outputs[o])), roundings,
            exact.empty() ? std::nullopt : std::optional(exact.at(o)), &FloorOf(step.name, o));
    }
    return Ok();
  }

  // A program on its own values, as a mutant of all steps would run.
  Status RunWhole(Variant& variant) {
    const Program& program = variant.plan.program();
    for (size_t s = 0; s < program.steps.size() && variant.whole; ++s) {
      if (program.steps[s].weight_only) continue;
      TRY(variant.Run(static_cast<int>(s), [&](int value) -> const void* {
        const size_t v = static_cast<size_t>(value);
        if (variant.own[v] != nullptr) return variant.own[v];
        const int counterpart = variant.plan.original_of[v];
        return counterpart < 0 ? nullptr : Value(counterpart);
      }));
    }
    return Ok();
  }

  Status CountOutputs() {
    const std::vector<int>& outputs = original_.program().outputs;
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (original_.Constant(outputs[o]) != nullptr) continue;
      auto own = [&](const Variant& variant) {
        return variant.Own(variant.plan.program().outputs[o]);
      };
      std::vector<Elements> roundings;
      for (const Variant& variant : roundings_)
        if (variant.whole) roundings.push_back(TRY(own(variant)));
      std::optional<Elements> exact;
      if (exact_ && exact_->whole) exact = TRY(own(*exact_));
      if (roundings.empty() && !exact) continue;
      Count(TRY(OriginalElements(outputs[o])), roundings, exact, &FloorOf("", o));
    }
    return Ok();
  }

  const Original& original_;
  const Place& place_;
  std::vector<Variant> roundings_;
  std::optional<Variant> exact_;
  Arena memory_;
  std::vector<void*> values_;  // of the original, by value
  std::map<std::pair<std::string, size_t>, StepFloor> floors_;
};

}  // namespace

Result<std::vector<StepFloor>> MeasureFloors(const Original& original, const Place& place,
                                             const FloorRequest& request,
                                             const std::function<bool()>& keep_going) {
  Measurement measurement(original, place);
  TRY(measurement.Open(request));
  for (const std::string& name : request.images) {
    if (!keep_going()) return Fail(Code::kUnavailable, "the client is gone");
    TRY(measurement.Run(name));
  }
  return measurement.Floors();
}

}  // namespace mutatenn
