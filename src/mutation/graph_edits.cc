// `rewrite` and `rewrite_graph` as one: edits of bindings, and the tests that an edit must pass to
// be a mutation point.
#include "mutation/graph_edits.h"

#include "tvm/relax.h"

namespace mutatenn {

std::vector<GraphEdit> EditsAt(const MutationOperator& op, const Json& parameters,
                               const GraphView& view, size_t binding) {
  if (op.rewrite_graph != nullptr) return op.rewrite_graph(view, binding, parameters);
  std::vector<GraphEdit> edits;
  for (Node& value : op.rewrite(view.binding(binding).value, parameters))
    edits.push_back({binding, std::move(value)});
  return edits;
}

bool IsMutation(const Graph& graph, const GraphEdit& edit) {
  const GraphBinding& old = graph.bindings.at(edit.binding);
  auto typed = Guard("", [&] { return relax::Typer().Normalize(edit.value); });
  return typed.ok() &&
         StructuralEqual((*typed)["ty"], old.variable["ty"], /*map_free_variables=*/false) &&
         !StructuralEqual(*typed, old.value, /*map_free_variables=*/false);
}

}  // namespace mutatenn
