#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool IsLaunch(const Node& node) {
  return node.Is(type::kAttrStmt) && node["attr_key"].Text() == "thread_extent";
}

Node VariableOf(const Node& launch) { return launch["node"]["var"]; }

bool Matches(const Node& node, const Json&) { return IsLaunch(node); }

// This launch's index with that of each launch inside: blockIdx with threadIdx, or two of their
// axes.
std::vector<Node> Rewrite(const Node& outer, const Json&) {
  std::vector<Node> replaced;
  const Node a = VariableOf(outer);
  VisitExpressions(outer["body"], Descend::kEverywhere, [&](const Node& inner) {
    if (!IsLaunch(inner)) return;
    const Node b = VariableOf(inner);
    if (DTypeOf(a) != DTypeOf(b)) return;
    const Node body = MapExpressions(outer["body"], Descend::kEverywhere,
                                     [&](const Node& node, const Node&) -> Node {
                                       return node.Same(a) ? b : node.Same(b) ? a : node;
                                     });
    replaced.push_back(WithFields(outer, {{"body", body}}));
  });
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.thread_swap", .category = "accelerators", .source = "new",
        .summary = "Swaps the index of a launch with that of a launch inside it.",
        .doc =
            R"(blockIdx for threadIdx, or one axis for another: the work is done by other threads, some of it twice
and some not at all, where the extents differ.
Fault: no known issue of TVM's.
Survives where the indices are used alike and have equal extents, and no memory is shared.)",
        .example = "lowered", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
