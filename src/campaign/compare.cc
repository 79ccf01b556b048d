// Two sessions and a list of aligned steps to each step's share of their difference.
#include "campaign/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/clock.h"
#include "campaign/whole_outputs.h"
#include "judge/judge.h"

namespace mutatenn {
namespace {

// Sets of values on the devices: what the device computed itself from the image; on the second
// device also what the first one computed, and what the second makes of that.
constexpr const char* kOwn = "own";
constexpr const char* kTheirs = "theirs";
constexpr const char* kLocal = "local";

// A program's own steps, each once, in order.
class Chain {
 public:
  explicit Chain(const Program& program) : program_(program) {}
  void Until(int step, Probe* probe) {
    for (; next_ <= step; ++next_)
      if (!program_.steps[static_cast<size_t>(next_)].weight_only)
        probe->runs.push_back({next_, {kOwn}, kOwn});
  }

 private:
  const Program& program_;
  int next_ = 0;
};

// By aligned step: the values that nothing after it reads. `last_step`: of the side's own chain, by
// aligned step; `also`: steps that run besides.
std::vector<std::vector<int>> Forgettable(const Program& program, const std::vector<int>& last_step,
                                          const std::vector<std::vector<int>>& also) {
  std::map<int, size_t> last;
  auto use = [&](int step, size_t at) {
    const Step& s = program.steps[static_cast<size_t>(step)];
    if (s.weight_only) return;
    for (const auto* values : {&s.inputs, &s.outputs})
      for (int value : *values) last[value] = std::max(last[value], at);
  };
  int done = -1;
  for (size_t at = 0; at < last_step.size(); ++at) {
    for (; done < last_step[at]; ++done) use(done + 1, at);
    use(last_step[at], at);  // its values are compared now
    for (int step : also[at]) use(step, at);
  }
  std::vector<std::vector<int>> forget(last_step.size());
  for (const auto& [value, at] : last) forget[at].push_back(value);
  return forget;
}

double Relative(const ValueDifference& difference) {
  return difference.scale > 0 ? difference.largest_abs / difference.scale : 0;
}

int64_t FirstLabel(const std::string& bytes) {
  std::vector<float> scores(bytes.size() / sizeof(float));
  std::copy_n(bytes.data(), scores.size() * sizeof(float), reinterpret_cast<char*>(scores.data()));
  const auto top = TopK(scores.data(), std::ssize(scores), 1);
  return top.empty() ? -1 : top[0].label;
}

class Comparer {
 public:
  Comparer(Side& a, Side& b) : a_(a), b_(b), aligned_(Align(a.program, b.program)) {
    std::vector<int> last_a, last_b;
    std::vector<std::vector<int>> also;
    for (const AlignedStep& step : aligned_) {
      last_a.push_back(step.step_a);
      last_b.push_back(step.step_b);
      also.push_back(step.steps_b);
    }
    forget_a_ = Forgettable(a.program, last_a, std::vector<std::vector<int>>(also.size()));
    forget_b_ = Forgettable(b.program, last_b, also);
    worst_.resize(aligned_.size());
    comparison_.a = a.name;
    comparison_.b = b.name;
    comparison_.model = a.program.model;
    for (const AlignedStep& step : aligned_) {
      const Step& of_a = a.program.steps[static_cast<size_t>(step.step_a)];
      comparison_.steps.push_back({.name = of_a.name,
                                   .role = a.program.kernels.at(of_a.kernel).role,
                                   .layers = of_a.layers,
                                   .steps_b = static_cast<int>(step.steps_b.size()),
                                   .floor = PairFloor(step)});
    }
  }

  Status Check() const {
    const TensorType &in_a = InputOf(a_.program), &in_b = InputOf(b_.program);
    if (!(in_a == in_b)) return Fail(Code::kInvalidInput, "the two sides read other inputs");
    if (aligned_.empty())
      return Fail(Code::kInvalidInput, a_.name, " and ", b_.name, " have no step in common");
    return Ok();
  }

  Status Image(const CompareInput& input) {
    Chain chain_a(a_.program), chain_b(b_.program);
    Probe to_a{.fresh = true}, to_b{.fresh = true};
    to_a.puts.push_back({kOwn, a_.program.inputs[0], input.bytes});
    to_b.puts.push_back({kOwn, b_.program.inputs[0], input.bytes});
    to_b.puts.push_back({kTheirs, b_.program.inputs[0], input.bytes});
    std::vector<bool> equal;  // by aligned step: both sides have the same bits
    for (size_t k = 0; k < aligned_.size(); ++k) {
      const AlignedStep& step = aligned_[k];
      chain_a.Until(step.step_a, &to_a);
      for (int value : step.values_a) to_a.gets.push_back({kOwn, value});
      to_a.forget = forget_a_[k];
      const std::optional<Probed> ran_a = TRY(Ask(a_, to_a, k, input.name));
      if (!ran_a) return Ok();
      const Probed& from_a = *ran_a;
      to_a = {};

      chain_b.Until(step.step_b, &to_b);
      const bool same_inputs = std::all_of(step.inputs.begin(), step.inputs.end(), [&](int i) {
        return static_cast<bool>(equal[static_cast<size_t>(i)]);
      });
      for (size_t i = 0; i < step.values_b.size(); ++i) {
        to_b.puts.push_back({kTheirs, step.values_b[i], from_a.values[i]});
        to_b.compares.push_back({step.values_b[i], kOwn, kTheirs});
        if (!same_inputs) to_b.compares.push_back({step.values_b[i], kLocal, kTheirs});
      }
      if (!same_inputs)
        for (int s : step.steps_b) to_b.runs.push_back({s, {kTheirs, kLocal}, kLocal});
      const bool is_output = step.values_b[0] == b_.program.outputs[0];
      if (is_output) to_b.gets.push_back({kOwn, step.values_b[0]});
      to_b.forget = forget_b_[k];
      const std::optional<Probed> ran_b = TRY(Ask(b_, to_b, k, input.name));
      if (!ran_b) return Ok();
      const Probed& from_b = *ran_b;
      to_b = {};

      ValueDifference total, local;
      for (size_t i = 0, at = 0; i < step.values_b.size(); ++i) {
        Add(from_b.differences.at(at++), &total);
        Add(from_b.differences.at(same_inputs ? at - 1 : at++), &local);
      }
      equal.push_back(total.differing == 0);
      Take(k, input.name, total, local);
      if (is_output && step.values_a[0] == a_.program.outputs[0] &&
          a_.program.values[static_cast<size_t>(step.values_a[0])].type.dtype == "float32")
        comparison_.labels_differ += FirstLabel(from_a.values[0]) != FirstLabel(from_b.values[0]);
    }
    ++comparison_.images;
    return Ok();
  }

  bool died() const { return died_; }

  Comparison Finish() && {
    for (size_t k = 0; k < aligned_.size(); ++k) {
      ComparedStep& step = comparison_.steps[k];
      double before = 0;
      for (int input : aligned_[k].inputs)
        before = std::max(before, Relative(comparison_.steps[static_cast<size_t>(input)].total));
      step.growth = before > 0 ? Relative(step.total) / before : 0;
      if (comparison_.first < 0 && step.diverges()) comparison_.first = static_cast<int>(k);
    }
    return std::move(comparison_);
  }

 private:
  static const TensorType& InputOf(const Program& program) {
    return program.values[static_cast<size_t>(program.inputs[0])].type;
  }

  void Take(size_t k, const std::string& image, const ValueDifference& total,
            const ValueDifference& local) {
    ComparedStep& step = comparison_.steps[k];
    Add(total, &step.total);
    Add(local, &step.local);
    const double error =
        local.nonfinite > 0 ? std::numeric_limits<double>::infinity() : local.largest_abs;
    if (!step.image.empty() && error <= worst_[k]) return;
    worst_[k] = error;
    step.image = image;
    step.excess = error == 0 || std::isinf(error) ? error : error / step.floor;
  }

  // Nothing where the side ended or hung: that is what was found of the step.
  Result<std::optional<Probed>> Ask(Side& side, Probe& probe, size_t k, const std::string& image) {
    probe.limit_s = side.timeout_s;
    const double begun = SecondsNow();
    Result<Probed> answer = side.session->Run(probe);
    if (answer.ok()) return std::optional(std::move(answer).value());
    if (answer.error().code != Code::kUnavailable && answer.error().code != Code::kTimeout)
      return answer.error().With(side.name);
    ComparedStep& step = comparison_.steps[k];
    const bool hung = side.timeout_s > 0 && SecondsNow() - begun >= side.timeout_s;
    step.died = hung ? fmt::format("{} gave no answer within {:g} s", side.name, side.timeout_s)
                     : side.name + ": " + answer.error().message;
    step.image = image;
    died_ = true;
    return std::optional<Probed>();
  }

  // Of a side, over the steps that are one on the other; NaN where one was not measured.
  static double FloorOf(const Side& side, const std::vector<int>& steps) {
    double sum = 0;
    for (int step : steps) {
      const auto found = side.floors.find(side.program.steps[static_cast<size_t>(step)].name);
      sum += found == side.floors.end() ? NAN : found->second;
    }
    return sum;
  }
  double PairFloor(const AlignedStep& step) const {
    return kPairFloor * std::fmin(FloorOf(a_, step.steps_a), FloorOf(b_, step.steps_b));
  }

  Side &a_, &b_;
  std::vector<AlignedStep> aligned_;
  std::vector<std::vector<int>> forget_a_, forget_b_;
  Comparison comparison_;
  std::vector<double> worst_;  // by step: local error on ComparedStep::image
  bool died_ = false;
};

}  // namespace

Result<Comparison> CompareSides(Side& a, Side& b, int images,
                                const std::function<Result<CompareInput>(int)>& read,
                                Progress& progress) {
  if (a.outputs || b.outputs) return CompareOutputs(a, b, images, read, progress);
  Comparer comparer(a, b);
  TRY(comparer.Check());
  progress.Begin("comparing " + a.name + " and " + b.name, images);
  for (int i = 0; i < images; ++i) {
    TRY(comparer.Image(TRY(read(i))));
    if (comparer.died()) break;  // with all that its session knew
    progress.Count();
  }
  progress.End();
  return std::move(comparer).Finish();
}

}  // namespace mutatenn
