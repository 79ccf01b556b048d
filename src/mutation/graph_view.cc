// A graph's bindings to layers, and layers to expressions.
#include "mutation/graph_view.h"

#include <algorithm>

#include "mutation/relax_calls.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {

const GraphView::Table& GraphView::table() const {
  if (table_) return *table_;
  Table table;
  for (int i = 0; i < graph_.num_inputs; ++i) table.data.insert(graph_.parameters[i].id());
  for (size_t i = 0; i < graph_.bindings.size(); ++i) {
    const GraphBinding& binding = graph_.bindings[i];
    table.reads.push_back(relax::VariablesOf(binding.value));
    table.members[binding.layer].push_back(i);
    table.made_by[binding.variable.id()] = i;
    for (const Node& variable : table.reads.back()) {
      if (table.data.contains(variable.id())) table.data.insert(binding.variable.id());
      const auto maker = table.made_by.find(variable.id());
      if (maker != table.made_by.end() && graph_.bindings[maker->second].layer != binding.layer)
        table.exposed.insert(variable.id());
    }
  }
  for (const Node& variable : relax::VariablesOf(graph_.output))
    table.exposed.insert(variable.id());
  return table_.emplace(std::move(table));
}

size_t GraphView::ResultOf(size_t binding) const {
  const Node& variable = graph_.bindings[binding].variable;
  if (!relax::IsTuple(variable["ty"])) return binding;
  for (size_t i = binding + 1; i < graph_.bindings.size(); ++i) {
    const Node& value = graph_.bindings[i].value;
    if (value.Is(type::kTupleGetItem) && value["tuple_value"].Same(variable) &&
        value["index"].Int() == 0)
      return i;
  }
  return binding;
}

std::optional<Layer> GraphView::LayerAt(size_t binding) const {
  const std::string& name = graph_.bindings[binding].layer;
  if (name.empty()) return std::nullopt;
  Layer layer{table().members.at(name), {}};
  std::set<const void*> own;
  for (const size_t i : layer.bindings) {
    if (i < binding && !graph_.bindings[i].synthetic) return std::nullopt;
    const void* variable = graph_.bindings[i].variable.id();
    if (i != layer.result() && table().exposed.contains(variable)) return std::nullopt;
    own.insert(variable);
  }
  std::set<const void*> seen;
  for (const size_t i : layer.bindings)
    for (const Node& variable : table().reads[i])
      if (table().data.contains(variable.id()) && !own.contains(variable.id()) &&
          seen.insert(variable.id()).second)
        layer.inputs.push_back(variable);
  return layer;
}

std::optional<Layer> GraphView::LayerOf(const Node& variable) const {
  const auto maker = table().made_by.find(variable.id());
  if (maker == table().made_by.end()) return std::nullopt;
  for (const size_t i : table().members.at(graph_.bindings[maker->second].layer)) {
    if (graph_.bindings[i].synthetic) continue;
    auto layer = LayerAt(i);
    return layer && layer->result() == maker->second ? layer : std::nullopt;
  }
  return std::nullopt;
}

bool GraphView::KeepsShape(const Layer& layer) const {
  return layer.inputs.size() == 1 &&
         StructuralEqual(layer.inputs[0]["ty"], graph_.bindings[layer.result()].variable["ty"],
                         /*map_free_variables=*/false);
}

Node GraphView::LayerOn(const Layer& layer, const Node& input) const {
  std::map<const void*, Node> by = {{layer.inputs.at(0).id(), input}};
  Node value;
  for (const size_t i : layer.bindings) {
    value = relax::Substituted(graph_.bindings[i].value, by);
    by[graph_.bindings[i].variable.id()] = value;
  }
  return value;
}

bool IsLayerNode(const Node& node, const Json&) { return IsOperatorCall(node); }

}  // namespace mutatenn
