#include "mutation/weights.h"

namespace mutatenn {
namespace {

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return ChangedWeights(view, at, parameters, [&](Weights& weights, Random& random) {
    const auto neurons = Chosen(weights.neurons, parameters.at("ratio").get<double>(), 1, random);
    for (const size_t neuron : neurons)
      for (const size_t i : weights.OfNeuron(neuron)) weights.values[i] = -weights.values[i];
  });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.neuron_activation_inverse", .category = "weights", .source = "new",
        .summary = "Changes the sign of the weights that come into a share of a layer's neurons.",
        .doc =
            R"(DeepMutation's NAI: what goes into the activation has the wrong sign. The bias keeps its sign: only the
layer's weights change. No known issue. Survives where the neuron says little.)",
        .example = "layers", .parameters = {RatioParameter("neurons"), SeedParameter()},
        .matches = HasWeights, .rewrite_graph = Rewrite);

}  // namespace mutatenn
