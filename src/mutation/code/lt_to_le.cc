#include "mutation/operator.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(prim::kLT); }

std::vector<Node> Rewrite(const Node& lt, const Json&) {
  return {Make(prim::kLE, lt["a"], lt["b"])};
}

}  // namespace

MUTATION_OPERATOR(.id = "code.lt_to_le", .category = "conditions", .source = "paper",
                  .summary = "Replaces < with <=.",
                  .doc =
                      R"(Off by one at a bound: one more element is read, often beyond its buffer.
Survives where what lies there is as good as padding, or where the bound is never reached.)",
                  .example = "kernels", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
