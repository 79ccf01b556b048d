#include <cmath>

#include "mutation/operator.h"
#include "mutation/rounding.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(prim::kLT); }

bool Fits(const std::string& dtype, double value) {
  const bool is_signed = dtype.starts_with("int");
  const int bits = std::stoi(dtype.substr(is_signed ? 3 : 4));
  const double limit = std::ldexp(1.0, is_signed ? bits - 1 : bits);
  return value < limit && value >= (is_signed ? -limit : 0.0);
}

// x < n + c for integers x and n is x < n + ceil(c), exactly: no float, no rounding.
std::vector<Node> RewriteInteger(const Node& lt, double value) {
  const Node bound = lt["b"];
  const std::string dtype = DTypeOf(bound);
  const double step = std::ceil(value);
  if (step == 0) return {};
  if (bound.Is(type::kIntImm)) {
    const double sum = static_cast<double>(bound.Int()) + step;
    if (!Fits(dtype, sum) || std::abs(sum) > 0x1p53) return {};
    return {Make(prim::kLT, lt["a"], IntImm(dtype, static_cast<int64_t>(sum)))};
  }
  if (!Fits(dtype, step) || std::abs(step) > 0x1p53) return {};
  const Node addend = IntImm(dtype, static_cast<int64_t>(step));
  return {Make(prim::kLT, lt["a"], Make(prim::kAdd, bound, addend))};
}

std::vector<Node> Rewrite(const Node& lt, const Json& parameters) {
  const double value = parameters.at("value");
  const Node bound = lt["b"];
  if (IsInteger(bound)) return RewriteInteger(lt, value);
  const auto addend = Addend(DTypeOf(bound), value);
  if (!addend) return {};
  return {Make(prim::kLT, lt["a"], Make(prim::kAdd, bound, *addend))};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.threshold_right_add", .category = "conditions", .source = "paper",
        .summary = "Adds a constant to the right operand of <.",
        .doc =
            R"(A threshold that is a little off. Between integers, x < n + c is built exactly as x < n + ceil(c).
Survives where no value lies between the two thresholds.)",
        .example = "kernels",
        .parameters = {{.name = "value",
                        .type = "number",
                        .fallback = 0.5,
                        .doc = "The constant, in the operand's own type."}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
