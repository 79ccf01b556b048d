#include <algorithm>
#include <utility>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Where the order of the arguments says nothing.
constexpr const char* kSymmetric[] = {op::kAdd, op::kMaximum, op::kMinimum, op::kMultiply};

bool Matches(const Node& node, const Json&) {
  return IsOperatorCall(node) && ArgumentsOf(node).size() >= 2;
}

std::vector<Node> Rewrite(const Node& node, const Json&) {
  for (const char* name : kSymmetric)
    if (IsCallOf(node, name)) return {};
  std::vector<Node> arguments = ArgumentsOf(node);
  if (!StaticTensor(arguments[0]) || !StaticTensor(arguments[1])) return {};
  std::swap(arguments[0], arguments[1]);
  return {WithArguments(node, arguments)};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.swap_arguments", .category = "node input/output", .source = "new",
        .summary = "Swaps the first two arguments of a node.",
        .doc =
            R"(Operands in the wrong order, as when an importer subtracted a constant from the data whichever stood
first (opencv/opencv#20852). Applies to every node whose result keeps its shape: differences, quotients,
powers, concatenations, products of square matrices; never where the order says nothing (sums, products).
Survives where both arguments are alike.)",
        .example = "attributes", .parameters = {SyntheticParameter()}, .matches = Matches,
        .rewrite = Rewrite);

}  // namespace mutatenn
