// Terms of a sum from the shapes of what a step reads.
#include "campaign/rounding_floor.h"

#include <algorithm>
#include <cmath>

namespace mutatenn {
namespace {

double UnitRoundoff(const std::string& dtype) {
  if (dtype == "float32") return std::ldexp(1.0, -24);
  if (dtype == "float64") return std::ldexp(1.0, -53);
  if (dtype == "float16") return std::ldexp(1.0, -11);
  if (dtype == "bfloat16") return std::ldexp(1.0, -8);
  return 0;
}

// A weight as it was before weight-only steps laid it out anew.
int Unpacked(const Program& program, int value) {
  for (const Step& step : program.steps)
    if (step.weight_only && step.inputs.size() == 1 && step.outputs.size() == 1 &&
        step.outputs[0] == value)
      return Unpacked(program, step.inputs[0]);
  return value;
}

double Terms(const Program& program, const Step& step) {
  const auto type = [&](int value) -> const TensorType& {
    return program.values[static_cast<size_t>(value)].type;
  };
  const double outputs =
      static_cast<double>(std::max<int64_t>(1, type(step.outputs[0]).Elements()));
  double terms = 1;
  for (int input : step.inputs) {
    const Value& value = program.values[static_cast<size_t>(Unpacked(program, input))];
    if (value.kind == Value::Kind::kWeight) {
      // An output channel reads its share of the weight.
      if (value.type.shape.size() >= 2 && value.type.shape[0] > 0)
        terms = std::max(terms, static_cast<double>(value.type.Elements()) /
                                    static_cast<double>(value.type.shape[0]));
    } else {
      terms = std::max(terms, std::ceil(static_cast<double>(type(input).Elements()) / outputs));
    }
  }
  return terms;
}

}  // namespace

double RoundingFloor(const Program& program, const std::vector<int>& steps, double scale) {
  double n = 0, u = 0;
  for (int s : steps) {
    const Step& step = program.steps[static_cast<size_t>(s)];
    n += Terms(program, step) + kOtherOperations;
    for (const auto* values : {&step.inputs, &step.outputs})
      for (int value : *values)
        u = std::max(u, UnitRoundoff(program.values[static_cast<size_t>(value)].type.dtype));
  }
  return n * u < 1 ? n * u / (1 - n * u) * scale : scale;
}

}  // namespace mutatenn
