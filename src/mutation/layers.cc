// A graph's bindings to layers, and layers to expressions.
#include "mutation/layers.h"

#include <algorithm>
#include <map>

#include "mutation/relax_calls.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

using Variables = std::set<const void*>;

Variables DataVariables(const Graph& graph) {
  Variables data;
  for (int i = 0; i < graph.num_inputs; ++i) data.insert(graph.parameters[i].id());
  for (const GraphBinding& binding : graph.bindings)
    for (const Node& variable : relax::VariablesOf(binding.value))
      if (data.contains(variable.id())) data.insert(binding.variable.id());
  return data;
}

bool IsTyped(const Node& variable, const Node& type) {
  return StructuralEqual(variable["ty"], type, /*map_free_variables=*/false);
}

}  // namespace

std::optional<Layer> LayerAt(const Graph& graph, size_t binding) {
  const std::string& name = graph.bindings[binding].layer;
  if (name.empty()) return std::nullopt;
  Layer layer;
  Variables own;
  bool first = true;
  for (size_t i = 0; i < graph.bindings.size(); ++i) {
    if (graph.bindings[i].layer != name) continue;
    if (i < binding && !graph.bindings[i].synthetic) first = false;
    layer.bindings.push_back(i);
    own.insert(graph.bindings[i].variable.id());
  }
  if (!first) return std::nullopt;
  own.erase(graph.bindings[layer.result()].variable.id());
  const Variables data = DataVariables(graph);
  for (const GraphBinding& reader : graph.bindings)
    for (const Node& variable : relax::VariablesOf(reader.value)) {
      if (reader.layer != name && own.contains(variable.id())) return std::nullopt;
      const bool known = std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                     [&](const Node& input) { return input.Same(variable); });
      if (reader.layer == name && data.contains(variable.id()) && !own.contains(variable.id()) &&
          !known)
        layer.inputs.push_back(variable);
    }
  for (const Node& variable : relax::VariablesOf(graph.output))
    if (own.contains(variable.id())) return std::nullopt;
  return layer;
}

std::optional<Layer> LayerOf(const Graph& graph, const Node& variable) {
  for (size_t i = 0; i < graph.bindings.size(); ++i) {
    if (!graph.bindings[i].variable.Same(variable)) continue;
    for (size_t j = 0; j <= i; ++j) {
      if (graph.bindings[j].layer != graph.bindings[i].layer || graph.bindings[j].synthetic)
        continue;
      const auto layer = LayerAt(graph, j);
      return layer && layer->result() == i ? layer : std::nullopt;
    }
  }
  return std::nullopt;
}

Node LayerOn(const Graph& graph, const Layer& layer, const Node& input) {
  std::map<const void*, Node> by = {{layer.inputs.at(0).id(), input}};
  Node value;
  for (const size_t i : layer.bindings) {
    value = relax::Substituted(graph.bindings[i].value, by);
    by[graph.bindings[i].variable.id()] = value;
  }
  return value;
}

bool KeepsShape(const Graph& graph, const Layer& layer) {
  return layer.inputs.size() == 1 &&
         IsTyped(layer.inputs[0], graph.bindings[layer.result()].variable["ty"]);
}

bool IsLayerNode(const Node& node, const Json&) { return IsOperatorCall(node); }

}  // namespace mutatenn
