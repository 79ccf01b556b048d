#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return IsCallOf(node, op::kSoftmax) || IsCallOf(node, op::kLogSoftmax);
}

std::vector<Node> Rewrite(const Node& node, const Json&) { return {node["args"].At(0)}; }

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.softmax_removed", .category = "layer node", .source = "new",
        .summary = "Removes a softmax or log-softmax.",
        .doc =
            R"(A last layer forgotten: scores where probabilities are expected. No known issue.
At the end of a network it survives rules that look at the order of the scores only (top1), and is
killed by those that look at their size; inside one (attention) it is killed by both.)",
        .example = "attributes", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
