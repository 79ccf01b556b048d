#include <cmath>
#include <numeric>

#include "mutation/weights.h"

namespace mutatenn {
namespace {

double Deviation(const std::vector<float>& values) {
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / n);
}

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return ChangedWeights(view, at, parameters, [&](Weights& weights, Random& random) {
    const double scale = parameters.at("deviation").get<double>() * Deviation(weights.values);
    const auto chosen =
        Chosen(weights.values.size(), parameters.at("ratio").get<double>(), 1, random);
    for (const size_t i : chosen)
      weights.values[i] = static_cast<float>(weights.values[i] + scale * random.Gaussian());
  });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.gaussian_fuzzing", .category = "weights", .source = "new",
        .summary = "Adds Gaussian noise to a share of a layer's weights.",
        .doc =
            R"(DeepMutation's GF: weights stored or converted a little wrong, as by quantisation or a broken file.
No known issue. Survives where the noise is small against what the layer sums up.)",
        .example = "layers",
        .parameters = {RatioParameter("weights"),
                       {.name = "deviation",
                        .type = "number",
                        .fallback = 1.0,
                        .doc = "Of the noise, in standard deviations of the layer's weights."},
                       SeedParameter()},
        .matches = HasWeights, .rewrite_graph = Rewrite);

}  // namespace mutatenn
