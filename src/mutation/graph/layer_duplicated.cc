#include "mutation/graph_view.h"
#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json&) {
  const auto layer = view.LayerAt(at);
  if (!layer || !view.KeepsShape(*layer)) return {};
  const size_t result = layer->result();
  const Node& value = view.binding(result).value;
  if (IsCallOf(value, op::kRelu) || IsCallOf(value, op::kClip)) return {};  // twice is once
  return {{result, view.LayerOn(*layer, value)}};
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
