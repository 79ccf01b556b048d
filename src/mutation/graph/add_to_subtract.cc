#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return IsCallOf(node, op::kAdd); }

// Not where an operand is a bare number: users know no such node.
std::vector<Node> Rewrite(const Node& node, const Json&) {
  const Node a = node["args"].At(0), b = node["args"].At(1);
  if (!StaticTensor(a) || !StaticTensor(b)) return {};
  return {Call(make::kSubtract, a, b)};
}

}  // namespace

MUTATION_OPERATOR(.id = "graph.add_to_subtract", .category = "arithmetic node", .source = "paper",
                  .summary = "Replaces the addition of two tensors with their difference.",
                  .doc = R"(A wrong sign at a node that adds, such as a residual connection.
The bias that the importer adds behind a convolution or a matrix product is left alone unless
`synthetic` asks for it.
Survives where the second operand is small.)",
                  .example = "layers", .parameters = {SyntheticParameter()}, .matches = Matches,
                  .rewrite = Rewrite);

}  // namespace mutatenn
