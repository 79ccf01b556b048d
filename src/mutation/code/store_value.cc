#include <cmath>
#include <limits>

#include "mutation/expressions.h"
#include "mutation/rounding.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Considers(const Place& place, const Json& parameters) {
  const std::string stores = parameters.at("stores");
  return stores == "all" || (stores == "init") == place.init;
}

bool Matches(const Node& node, const Json&) { return node.Is(type::kBufferStore); }

std::optional<Node> Changed(const Node& value, const std::string& operation, double constant) {
  const bool zero = IsConstant(value) && ValueOf(value) == 0;
  if (operation == "negated") {
    const auto minus_one = ConstantLike(value, -1);
    if (!minus_one || zero) return std::nullopt;
    return Make(prim::kMul, value, *minus_one);
  }
  if (operation == "nan") {
    if (!IsFloat(value)) return std::nullopt;
    return BroadcastLike(value,
                         FloatImm(ScalarType(value), std::numeric_limits<double>::quiet_NaN()));
  }
  const auto number = ConstantLike(value, operation == "minus" ? -constant : constant);
  if (!number) return std::nullopt;
  if (operation == "constant")
    return IsConstant(value) && ValueOf(value) == ValueOf(*number) ? std::nullopt : number;
  if (operation == "times")
    return ValueOf(*number) == 1 || zero ? std::nullopt
                                         : std::optional(Make(prim::kMul, value, *number));
  if (ValueOf(*number) == 0) return std::nullopt;
  return Make(prim::kAdd, value, *number);
}

std::vector<Node> Rewrite(const Node& store, const Json& parameters) {
  if (ScalarType(store["value"]) == "bool") return {};
  const auto value = Changed(store["value"], parameters.at("operation"), parameters.at("value"));
  if (!value) return {};
  return {WithFields(store, {{"value", *value}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.store_value", .category = "store value", .source = "paper",
        .summary =
            "Changes a value as it is stored: plus, minus or times a constant, a constant "
            "instead, NaN, or negated.",
        .doc =
            R"(A small error in what a kernel writes; in a reduction it is made at every step of it.
The constant is rounded to the value's own type; where that changes nothing (the paper's times
1.00000001 is times 1 in float32) it is no mutation point.
Fault: an inaccurate or wrong value, such as TVM's issue 19563 (asin and acos off by 1e-3).
Survives where the constant is below the rounding of the values, which is what the default tests.)",
        .example = "kernels",
        .parameters = {{.name = "operation",
                        .type = "string",
                        .fallback = "plus",
                        .doc = "What is done to the value.",
                        .allowed = {"plus", "minus", "times", "constant", "nan", "negated"}},
                       {.name = "value",
                        .type = "number",
                        .fallback = -1e-8,
                        .doc = "The constant; nan and negated have none."},
                       {.name = "stores",
                        .type = "string",
                        .fallback = "all",
                        .doc = "init: those that start a reduction; update: all others.",
                        .allowed = {"all", "init", "update"}}},
        .presets = {{.preset = "default", .parameters = {{"operation", "plus"}, {"value", 1.0}}}},
        .considers = Considers, .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
