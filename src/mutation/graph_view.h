// A graph with what operators ask of it again and again: who reads what, and the layers of the
// user's model, each the bindings that one node of the model became.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mutation/subject.h"

namespace mutatenn {

struct Layer {
  std::vector<size_t> bindings;  // in order; the last one carries the layer's result
  std::vector<Node> inputs;      // variables that depend on the network's input, each once
  size_t result() const { return bindings.back(); }
};

// Of a graph that outlives it.
class GraphView {
 public:
  explicit GraphView(const Graph& graph) : graph_(graph) {}
  const Graph& graph() const { return graph_; }
  const GraphBinding& binding(size_t i) const { return graph_.bindings[i]; }

  // The binding that carries a call's value: its own, or where the value is a tuple (batch_norm)
  // that of its first item.
  size_t ResultOf(size_t binding) const;
  // The layer whose first node of the user's is this binding. Nothing where the binding is no such
  // node, or another of its values than the last is read by other layers.
  std::optional<Layer> LayerAt(size_t binding) const;
  // The layer whose result this variable is.
  std::optional<Layer> LayerOf(const Node& variable) const;
  // The layer has one input, of its result's type.
  bool KeepsShape(const Layer& layer) const;
  // The layer's computation over again, nested, on `input` in place of its only input.
  Node LayerOn(const Layer& layer, const Node& input) const;

 private:
  struct Table {
    std::vector<std::vector<Node>> reads;                // of each binding
    std::map<std::string, std::vector<size_t>> members;  // of each layer
    std::map<const void*, size_t> made_by;               // variable -> binding
    std::set<const void*> data;     // variables that depend on the network's input
    std::set<const void*> exposed;  // that another layer reads, or the graph's output
  };
  const Table& table() const;

  const Graph& graph_;
  mutable std::optional<Table> table_;  // made when first asked for
};

// What layer operators match: any operator of the user's model.
bool IsLayerNode(const Node& node, const Json& parameters);

}  // namespace mutatenn
