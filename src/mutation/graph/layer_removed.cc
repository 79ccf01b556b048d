#include "mutation/graph_view.h"

namespace mutatenn {
namespace {

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json&) {
  const auto layer = view.LayerAt(at);
  if (!layer) return {};
  std::vector<GraphEdit> edits;
  for (const Node& input : layer->inputs) edits.push_back({layer->result(), input});
  return edits;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.layer_removed", .category = "layers", .source = "new",
        .summary = "Removes a layer whose result has the shape of an input.",
        .doc =
            R"(A node lost, as by a pass that takes it to do nothing: LEMON's and DeepMutation's layer removal.
A layer goes with its bias; one of several inputs (a residual addition) has a variant for each. No known issue.
Survives where a layer adds little: an activation that seldom cuts, a block deep in a network.)",
        .example = "layers", .matches = IsLayerNode, .rewrite_graph = Rewrite);

}  // namespace mutatenn
