#include "mutation/arithmetic.h"

namespace mutatenn {
namespace {

// Numbers computed from the tensors: floats, and integers that a load goes into.
bool Matches(const Node& node, const Json&) {
  return IsArithmetic(node) && (IsFloat(node) || HasLoad(node));
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.arithmetic_value", .category = "arithmetic operators", .source = "new",
        .summary = "Replaces an arithmetic operator in the computation of a value with another.",
        .doc =
            R"(Plus for minus, times for plus, minimum for maximum: the kernel computes something else from the
same elements. (Indices are code.arithmetic_index: they fail in another way.)
Fault: no known issue of TVM's; it is the classic arithmetic operator replacement.
Survives where the operands make both the same, such as a product and a sum of small numbers before a
maximum with 0.)",
        .example = "kernels", .parameters = ArithmeticParameters(Arithmetic::kFloatAndInteger),
        .matches = Matches, .rewrite = OtherArithmetic);

}  // namespace mutatenn
