#include "mutation/layers.h"
#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

std::vector<GraphEdit> Rewrite(const Graph& graph, size_t at, const Json&) {
  const auto layer = LayerAt(graph, at);
  if (!layer || !KeepsShape(graph, *layer)) return {};
  const size_t result = layer->result();
  const Node& value = graph.bindings[result].value;
  if (IsCallOf(value, op::kRelu) || IsCallOf(value, op::kClip)) return {};  // twice is once
  return {{result, LayerOn(graph, *layer, value)}};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.layer_duplicated", .category = "layers", .source = "new",
        .summary =
            "Puts a layer that keeps the shape behind itself once more, with its own weights.",
        .doc =
            R"(LEMON's layer copy and DeepMutation's duplication: a node computed twice. No known issue.
ReLU and clip are left out: twice is once. Survives where a layer changes little, as deep in a network.)",
        .example = "layers", .matches = IsLayerNode, .rewrite_graph = Rewrite);

}  // namespace mutatenn
