#include <algorithm>
#include <numeric>

#include "mutation/weights.h"

namespace mutatenn {
namespace {

// In the order of one random number for each weight.
void Shuffle(const std::vector<size_t>& places, Weights& weights, Random& random) {
  std::vector<double> numbers(places.size());
  for (double& number : numbers) number = random.Uniform();
  std::vector<size_t> order(places.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return numbers[a] < numbers[b]; });
  std::vector<float> before;
  for (const size_t place : places) before.push_back(weights.values[place]);
  for (size_t i = 0; i < places.size(); ++i) weights.values[places[i]] = before[order[i]];
}

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return ChangedWeights(view, at, parameters, [&](Weights& weights, Random& random) {
    const auto neurons = Chosen(weights.neurons, parameters.at("ratio").get<double>(), 1, random);
    for (const size_t neuron : neurons) Shuffle(weights.OfNeuron(neuron), weights, random);
  });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.weight_shuffling", .category = "weights", .source = "new",
        .summary = "Shuffles the weights that come into a share of a layer's neurons.",
        .doc =
            R"(DeepMutation's WS: the elements of a kernel in the wrong order, as after a wrong reading of its layout.
No known issue. Survives where few neurons matter, or a neuron has a single weight's worth of input.)",
        .example = "layers", .parameters = {RatioParameter("neurons"), SeedParameter()},
        .matches = HasWeights, .rewrite_graph = Rewrite);

}  // namespace mutatenn
