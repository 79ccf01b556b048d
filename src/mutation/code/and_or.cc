#include "mutation/operator.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(prim::kAnd) || node.Is(prim::kOr); }

std::vector<Node> Rewrite(const Node& node, const Json&) {
  return {Make(node.Is(prim::kAnd) ? prim::kOr : prim::kAnd, node["a"], node["b"])};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.and_or", .category = "conditions", .source = "new",
        .summary = "Replaces a logical and with or, and or with and.",
        .doc =
            R"(Conditions joined in the wrong way: one of the bounds of a padded image suffices, so rows or columns
beyond it are read.
Fault: no known issue of TVM; it is the classic logical connector replacement.
Survives where one of the two conditions decides alone.)",
        .example = "kernels", .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
