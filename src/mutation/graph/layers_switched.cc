#include "mutation/graph_view.h"

namespace mutatenn {
namespace {

// The first of the two stays for its other readers; nobody else's value changes.
std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json&) {
  const auto second = view.LayerAt(at);
  if (!second || !view.KeepsShape(*second)) return {};
  const auto first = view.LayerOf(second->inputs[0]);
  if (!first || !view.KeepsShape(*first)) return {};
  const Node swapped = view.LayerOn(*first, view.LayerOn(*second, first->inputs[0]));
  return {{second->result(), swapped}};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.layers_switched", .category = "layers", .source = "new",
        .summary = "Switches a layer with the one before it, where both keep the shape.",
        .doc =
            R"(LEMON's layer switch: two nodes in the wrong order, as after a pass that moves one across the other.
No known issue. Where others read the value between the two, it stays for them.
Survives where the order says nothing: two element-wise layers that agree, such as ReLU and max pooling.)",
        .example = "layers", .matches = IsLayerNode, .rewrite_graph = Rewrite);

}  // namespace mutatenn
