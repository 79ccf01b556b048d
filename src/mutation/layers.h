// Layers of the user's model in the graph: the bindings that one node of the model became.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include "mutation/subject.h"

namespace mutatenn {

struct Layer {
  std::vector<size_t> bindings;  // in order; the last one carries the layer's result
  std::vector<Node> inputs;      // variables that depend on the network's input, each once
  size_t result() const { return bindings.back(); }
};

// The layer whose first node of the user's is this binding. Nothing where the binding is no such
// node, or another of its values than the last is read by other layers.
std::optional<Layer> LayerAt(const Graph& graph, size_t binding);
// The layer whose result this variable is.
std::optional<Layer> LayerOf(const Graph& graph, const Node& variable);
// The layer's computation over again, nested, on `input` in place of its only input.
Node LayerOn(const Graph& graph, const Layer& layer, const Node& input);
// The layer has one input, of its result's type.
bool KeepsShape(const Graph& graph, const Layer& layer);

// What layer operators match: any operator of the user's model.
bool IsLayerNode(const Node& node, const Json& parameters);

}  // namespace mutatenn
