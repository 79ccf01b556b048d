#include "mutation/arithmetic.h"

namespace mutatenn {
namespace {

// An access stands for the operators in its indices; integers that no load goes into are indices in
// conditions.
bool Matches(const Node& node, const Json&) {
  return IsAccess(node) || (IsArithmetic(node) && IsInteger(node) && !HasLoad(node));
}

std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  if (!IsAccess(node)) return OtherArithmetic(node, parameters);
  return IndexVariants(node, [&](const Node& index) { return OtherArithmetic(index, parameters); });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.arithmetic_index", .category = "arithmetic operators", .source = "new",
        .summary = "Replaces an arithmetic operator in an index or a bound with another.",
        .doc =
            R"(The kernel computes the right thing from the wrong elements, some of them beyond the buffer.
Fault: wrong simplification of indices, such as TVM's pull requests 10336 (i % 20 / 2 * 2 % 4 became
i % 4) and 8852, and issue 19524.
Survives where the elements read instead are alike, or where the operators agree on all indices.)",
        .example = "kernels", .parameters = ArithmeticParameters(Arithmetic::kInteger),
        .rewrites_indices = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
