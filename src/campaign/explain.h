// What makes one step differ on two sides: the step alone, on both, with the compiler run in other
// ways, until the difference is gone. CPUs and devices whose programs were compiled here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "campaign/compare.h"
#include "compile/rebuild.h"

namespace mutatenn {

// The side's program with these kernels built otherwise, one result each; passes that the side
// leaves out stay left out unless `how` is `exactly` so. kTvm in a result: TVM refuses it.
enum class Dropped { kAndTheSides, kExactly };
Result<std::vector<Result<Program>>> Rebuild(Side& side, const std::vector<Rebuilding>& how,
                                             Dropped dropped = Dropped::kAndTheSides);

// What a switch makes of the difference: the largest absolute one that is left with it thrown on
// the first side, on the second, on both.
struct SwitchEffect {
  std::string name;
  std::optional<double> on_a, on_b, on_both;  // empty: `why` it could not be thrown there
  std::string why;
  bool removes = false;  // some of the three is within the floor
};

struct Explanation {
  std::string step;  // on the first side
  std::string image;
  double difference = 0, floor = 0;  // local error and its floor on that image
  std::vector<SwitchEffect> switches;
  // Each side's own distance to its step in float64: the larger one is the side that is off.
  std::optional<double> from_float64_a, from_float64_b;
  std::string outside_a,
      outside_b;      // what guarded memory found; "" = nothing, "-" = not looked for
  std::string named;  // the first switch that removes it, "" = none does
};

// `step`: index into the comparison's steps; `input`: the image of ComparedStep::image.
Result<Explanation> Explain(Side& a, Side& b, const Comparison& comparison, int step,
                            const CompareInput& input, Progress& progress);

Json ToJson(const Explanation& explanation);

// The step of a comparison alone, on values of the first side.
class StepAlone {
 public:
  static Result<StepAlone> Prepare(Side& a, Side& b, int step, const CompareInput& input);
  // Keys of the kernels that compute it on a side.
  std::vector<std::string> KernelsOf(const Side& side) const;
  // Bytes of its outputs by a program of that side.
  Result<std::vector<std::string>> Run(Side& side, const Program& program) const;
  // The largest absolute difference of outputs; infinite where only one is finite.
  double Difference(const std::vector<std::string>& a, const std::vector<std::string>& b) const;

 private:
  const Side *a_ = nullptr, *b_ = nullptr;
  std::vector<std::string> steps_a_, steps_b_;  // by name
  // Values of the first side that the steps read, by their names on each.
  std::vector<std::string> inputs_a_, inputs_b_, input_bytes_;
  std::vector<std::string> outputs_a_, outputs_b_;
  std::vector<TensorType> types_;  // of outputs
};

}  // namespace mutatenn
