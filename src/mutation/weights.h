// Weights of convolutions and dense layers as numbers, by neuron, and mutants that put others in
// their place. Only weights change: the steps and their kernels stay the original's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mutation/graph_view.h"
#include "mutation/operator.h"
#include "mutation/random.h"

namespace mutatenn {

// The float32 weights of one layer. A neuron is an output channel or, of a dense layer, an output.
struct Weights {
  std::vector<float> values;
  size_t neurons = 0, inputs = 0;  // of the layer
  // Indices into `values`, ascending: the weights that come into a neuron, and those by which an
  // input acts.
  std::vector<size_t> OfNeuron(size_t neuron) const;
  std::vector<size_t> OfInput(size_t input) const;

  // A convolution's lie as OIHW with I inputs a group; a dense layer's as inputs x neurons, which
  // is what dense says.
  bool dense = false;
  size_t groups = 1, window = 1;
};

// A conv2d or a matrix product.
bool HasWeights(const Node& node, const Json& parameters);
// One mutant: the layer's weights changed by `change`. None where they are no float32 parameter of
// the model, or its elements are unknown, or `change` leaves them as they are.
using WeightChange = std::function<void(Weights& weights, Random& random)>;
std::vector<GraphEdit> ChangedWeights(const GraphView& view, size_t binding, const Json& parameters,
                                      const WeightChange& change);
// Each of `count` with probability `ratio`, by one number each, but at least `least` of them: then
// those with the lowest numbers. Ascending.
std::vector<size_t> Chosen(size_t count, double ratio, size_t least, Random& random);

// Parameter "ratio" of what `of` says.
ParameterSpec RatioParameter(const std::string& of);

}  // namespace mutatenn
