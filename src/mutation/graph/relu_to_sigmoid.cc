#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// ReLU6 and its like arrive as clip with the lower bound 0.
bool Matches(const Node& node, const Json&) {
  if (IsCallOf(node, op::kRelu)) return true;
  return IsCallOf(node, op::kClip) && node["args"].At(1).Float() == 0;
}

std::vector<Node> Rewrite(const Node& node, const Json&) {
  return {Call(make::kSigmoid, node["args"].At(0))};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.relu_to_sigmoid", .category = "layer node", .source = "paper",
        .summary = "Replaces ReLU, or a clip at 0 such as ReLU6, with the sigmoid.",
        .doc = R"(The wrong activation function: values above 1 are squashed, negative ones leak.
Survives where the layers behind it depend on the order of its values only.)",
        .example = "layers", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
