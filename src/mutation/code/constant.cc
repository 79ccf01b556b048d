#include <algorithm>
#include <utility>

#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

std::vector<Node> Changed(const Node& constant, const Json& parameters) {
  if (!IsConstant(constant) || ScalarType(constant) == "bool") return {};
  const double value = ValueOf(constant);
  const std::pair<const char*, double> changes[] = {{"zero", 0},
                                                    {"one", 1},
                                                    {"minus_one", -1},
                                                    {"plus_one", value + 1},
                                                    {"less_one", value - 1},
                                                    {"negated", -value},
                                                    {"doubled", 2 * value},
                                                    {"halved", value / 2}};
  std::vector<Node> changed;
  std::vector<double> values = {value};
  for (const auto& [name, wanted] : changes) {
    if (!Names(parameters, "to", name)) continue;
    const auto node = ConstantLike(constant, wanted);
    if (!node || std::find(values.begin(), values.end(), ValueOf(*node)) != values.end()) continue;
    values.push_back(ValueOf(*node));
    changed.push_back(*node);
  }
  return changed;
}

bool Matches(const Node& node, const Json& parameters) {
  if (IsAccess(node)) return Names(parameters, "kinds", "index");
  if (node.Is(type::kFloatImm)) return Names(parameters, "kinds", "float");
  return node.Is(type::kIntImm) && Names(parameters, "kinds", "integer");
}

// No divisor may become 0, and a changed one is a mutation of its own kind: quotients and
// remainders keep theirs.
std::vector<Node> InIndices(const Node& access, const Json& parameters) {
  std::vector<Node> divisors;
  VisitExpressions(access, Descend::kEverywhere, [&](const Node& node) {
    if (node.Is(prim::kFloorDiv) || node.Is(prim::kFloorMod)) divisors.push_back(node["b"]);
  });
  return IndexVariants(access, [&](const Node& node) -> std::vector<Node> {
    for (const Node& divisor : divisors)
      if (node.Same(divisor)) return {};
    return Changed(node, parameters);
  });
}

std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  return IsAccess(node) ? InIndices(node, parameters) : Changed(node, parameters);
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.constant", .category = "arithmetic operators", .source = "new",
        .summary = "Replaces a constant with another.",
        .doc =
            R"(A wrong number: a bound, a padding value, the 0 or 6 of an activation, an offset in an index.
Two replacements that give the same number are one; divisors in indices are left alone.
Fault: TVM's pull request 1635 (max pooling padded with 0 instead of the smallest number).
Survives where the constant is added to something far larger, or bounds what never reaches it.)",
        .example = "kernels",
        .parameters = {{.name = "kinds",
                        .type = "strings",
                        .fallback = {"float", "index", "integer"},
                        .doc = "index: inside the indices of loads and stores; integer: elsewhere, "
                               "as in bounds.",
                        .allowed = {"float", "integer", "index"}},
                       {.name = "to",
                        .type = "strings",
                        .fallback = {"negated", "one", "plus_one", "zero"},
                        .doc = "What stands in its place, a variant each.",
                        .allowed = {"zero", "one", "minus_one", "plus_one", "less_one", "negated",
                                    "doubled", "halved"}}},
        .rewrites_indices = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
