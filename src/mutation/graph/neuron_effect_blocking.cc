#include "mutation/weights.h"

namespace mutatenn {
namespace {

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return ChangedWeights(view, at, parameters, [&](Weights& weights, Random& random) {
    const auto inputs = Chosen(weights.inputs, parameters.at("ratio").get<double>(), 1, random);
    for (const size_t input : inputs)
      for (const size_t i : weights.OfInput(input)) weights.values[i] = 0;
  });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.neuron_effect_blocking", .category = "weights", .source = "new",
        .summary = "Zeroes the weights by which a share of the neurons before act on a layer.",
        .doc =
            R"(DeepMutation's NEB: an input channel that is never read. No known issue.
Survives where the channel says little.)",
        .example = "layers", .parameters = {RatioParameter("input channels"), SeedParameter()},
        .matches = HasWeights, .rewrite_graph = Rewrite);

}  // namespace mutatenn
