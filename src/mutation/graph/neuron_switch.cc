#include <utility>

#include "mutation/weights.h"

namespace mutatenn {
namespace {

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return ChangedWeights(view, at, parameters, [&](Weights& weights, Random& random) {
    const auto neurons = Chosen(weights.neurons, parameters.at("ratio").get<double>(), 2, random);
    for (size_t n = 0; n + 1 < neurons.size(); n += 2) {
      const auto a = weights.OfNeuron(neurons[n]), b = weights.OfNeuron(neurons[n + 1]);
      for (size_t i = 0; i < a.size(); ++i) std::swap(weights.values[a[i]], weights.values[b[i]]);
    }
  });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.neuron_switch", .category = "weights", .source = "new",
        .summary = "Switches a share of a layer's neurons in pairs: each has the other's weights.",
        .doc =
            R"(DeepMutation's NS: two channels in each other's place. Neighbours among the chosen are switched, at
least one pair; the biases stay. No known issue. Survives where the two say little or the same.)",
        .example = "layers", .parameters = {RatioParameter("neurons"), SeedParameter()},
        .matches = HasWeights, .rewrite_graph = Rewrite);

}  // namespace mutatenn
