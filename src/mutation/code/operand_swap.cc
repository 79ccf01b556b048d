#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Sums, products, minima and maxima are the same either way; a quotient of integers may be one by
// 0.
bool Swaps(const Node& node) {
  return node.Is(prim::kSub) || (node.Is(prim::kDiv) && IsFloat(node)) ||
         IsIntrinsic(node, intrinsic::kPower);
}

std::vector<Node> Swapped(const Node& node) {
  if (!Swaps(node)) return {};
  if (!node.Is(type::kCall)) return {Make(node.key().data(), node["b"], node["a"])};
  const Node arguments = node["args"];
  return {WithFields(node, {{"args", Node({arguments.At(1), arguments.At(0)})}})};
}

bool Matches(const Node& node, const Json&) { return IsAccess(node) || Swaps(node); }

std::vector<Node> Rewrite(const Node& node, const Json&) {
  return IsAccess(node) ? IndexVariants(node, Swapped) : Swapped(node);
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.operand_swap", .category = "arithmetic operators", .source = "new",
        .summary = "Swaps the operands of a subtraction, a division or a power.",
        .doc =
            R"(Operands in the wrong order, in values and in indices. Operators that commute are left alone, and so
are divisions of integers, which would divide by 0.
Fault: no known issue of TVM's; importers are where operands get swapped.
Survives where one operand is 0 and the result is used without its sign.)",
        .example = "kernels", .rewrites_indices = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
