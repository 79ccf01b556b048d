#include <cmath>

#include "mutation/conditions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

enum class Side { kLeft, kRight };

bool Matches(const Node& node, const Json& parameters) {
  const NamedKind* relation = RelationOf(node);
  return relation != nullptr && Names(parameters, "relations", relation->name);
}

std::vector<Node> With(const Node& relation, Side side, const Node& operand) {
  const Node a = relation["a"], b = relation["b"];
  return {side == Side::kLeft ? Make(relation.key().data(), operand, b)
                              : Make(relation.key().data(), a, operand)};
}

// The whole number s that may stand for a real r in `x relation r`, or in `r relation x`, for whole
// x: the same x fulfil both. Nothing for == and != where r is not whole.
std::optional<double> Whole(const Node& relation, Side side, double real) {
  if (real == std::floor(real)) return real;
  const bool less = relation.Is(prim::kLT) || relation.Is(prim::kLE);
  const bool strict = relation.Is(prim::kLT) || relation.Is(prim::kGT);
  if (!strict && !relation.Is(prim::kLE) && !relation.Is(prim::kGE)) return std::nullopt;
  // x < r is x < ceil(r); x <= r is x <= floor(r); turned around where r stands left.
  const bool up = (less == strict) == (side == Side::kRight);
  return up ? std::ceil(real) : std::floor(real);
}

std::vector<Node> Never(const Node& relation) { return {IntImm("bool", relation.Is(prim::kNE))}; }

std::vector<Node> ShiftInteger(const Node& relation, Side side, double shift) {
  const Node operand = relation[side == Side::kLeft ? "a" : "b"];
  const bool constant = IsConstant(operand);
  const double base = constant ? ValueOf(operand) : 0;
  const auto whole = Whole(relation, side, base + shift);
  if (!whole) return Never(relation);
  const auto number = ConstantLike(operand, *whole);
  if (!number || *whole == base) return {};
  return With(relation, side, constant ? *number : Make(prim::kAdd, operand, *number));
}

std::vector<Node> ScaleInteger(const Node& relation, Side side, double factor) {
  const Node operand = relation[side == Side::kLeft ? "a" : "b"];
  if (IsConstant(operand)) {
    const double base = ValueOf(operand);
    return ShiftInteger(relation, side, base * factor - base);
  }
  auto real = [](const Node& integer) { return Make(prim::kCast, PrimType("float64"), integer); };
  const Node scaled =
      Make(prim::kMul, real(operand), BroadcastLike(operand, FloatImm("float64", factor)));
  const Node a = relation["a"], b = relation["b"];
  return {side == Side::kLeft ? Make(relation.key().data(), scaled, real(b))
                              : Make(relation.key().data(), real(a), scaled)};
}

std::vector<Node> Rewrite(const Node& relation, const Json& parameters) {
  const Side side = parameters.at("side") == "left" ? Side::kLeft : Side::kRight;
  const std::string operation = parameters.at("operation");
  const double value = parameters.at("value");
  const Node operand = relation[side == Side::kLeft ? "a" : "b"];
  const bool scales = operation == "times" || operation == "percent";
  const double factor = operation == "percent" ? 1 + value / 100 : value;
  const double shift = operation == "minus" ? -value : value;
  if (ScalarType(operand) == "bool" || (scales && factor == 1) || (!scales && shift == 0))
    return {};
  if (IsInteger(operand))
    return scales ? ScaleInteger(relation, side, factor) : ShiftInteger(relation, side, shift);
  if (scales) {
    const auto scale = ConstantLike(operand, factor);
    if (!scale || ValueOf(*scale) == 1) return {};
    return With(relation, side, Make(prim::kMul, operand, *scale));
  }
  const auto addend = ConstantLike(operand, shift);
  if (!addend || ValueOf(*addend) == 0) return {};
  return With(relation, side, Make(prim::kAdd, operand, *addend));
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.threshold", .category = "conditions", .source = "paper",
        .summary = "Changes one operand of a relation: plus, minus, times or by per cent.",
        .doc =
            R"(A threshold that is a little off. Between integers the mutant is built exactly: x < n + 0.5 as
x < n + 1, and x == n + 0.5 as false.
Fault: a bound that is off by one or scaled wrongly, such as TVM's issue 19524 (a shifted index).
Survives where no value lies between the two thresholds. Where nothing can lie there (x < n - 0.5 for
whole x and n) it is no mutation point.
The paper's LT-RA is relations lt, side right, plus 0.5.)",
        .example = "kernels",
        .parameters = {RelationsParameter("relations", "The relations whose operand is changed."),
                       {.name = "side",
                        .type = "string",
                        .fallback = "right",
                        .doc = "The operand that is changed.",
                        .allowed = {"left", "right"}},
                       {.name = "operation",
                        .type = "string",
                        .fallback = "plus",
                        .doc = "percent: the operand grows by so many hundredths of itself.",
                        .allowed = {"plus", "minus", "times", "percent"}},
                       {.name = "value",
                        .type = "number",
                        .fallback = 0.5,
                        .doc = "The constant of the operation, in the operand's own type."}},
        .presets = {{.preset = "default", .parameters = {{"relations", Json::array({"lt"})}}}},
        .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
