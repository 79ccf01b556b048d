// A weight parameter to numbers and back, as a constant in the call's second argument.
#include "mutation/weights.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// OIHW with I input channels a group: neuron o; input channel g * I + i acts by [o in g][i].
void SortConvolution(const std::vector<int64_t>& shape, int64_t groups, Weights* w) {
  w->neurons = shape[0], w->inputs = shape[1] * groups;
  w->of_neuron.resize(shape[0]), w->of_input.resize(w->inputs);
  const size_t window = shape[2] * shape[3];
  for (size_t at = 0; at < w->values.size(); ++at) {
    const int64_t o = at / (shape[1] * window), i = at / window % shape[1];
    w->of_neuron[o].push_back(at);
    w->of_input[o / (shape[0] / groups) * shape[1] + i].push_back(at);
  }
}

// Inputs x outputs.
void SortDense(const std::vector<int64_t>& shape, Weights* w) {
  w->inputs = shape[0], w->neurons = shape[1];
  w->of_neuron.resize(shape[1]), w->of_input.resize(shape[0]);
  for (size_t at = 0; at < w->values.size(); ++at) {
    w->of_neuron[at % shape[1]].push_back(at);
    w->of_input[at / shape[1]].push_back(at);
  }
}

bool IsWeight(const Graph& graph, const Node& node) {
  return std::any_of(graph.parameters.begin() + graph.num_inputs, graph.parameters.end(),
                     [&](const Node& parameter) { return parameter.Same(node); });
}

}  // namespace

bool HasWeights(const Node& node, const Json&) {
  return IsCallOf(node, op::kConv2d) || IsCallOf(node, op::kMatmul);
}

std::vector<GraphEdit> ChangedWeights(const Graph& graph, size_t binding, const Json& parameters,
                                      const WeightChange& change) {
  const Node& call = graph.bindings[binding].value;
  const Node parameter = call["args"].At(1);
  const auto tensor = StaticTensor(parameter);
  const bool convolution = IsCallOf(call, op::kConv2d);
  if (!graph.weights || !IsWeight(graph, parameter) || !tensor || tensor->dtype != "float32" ||
      tensor->shape.size() != (convolution ? 4u : 2u))
    return {};
  if (convolution && call["attrs"]["kernel_layout"].Text() != "OIHW") return {};
  auto bytes = graph.weights(parameter["name"].Text());
  if (!bytes.ok()) GiveUp(bytes.error().message);
  Weights weights;
  weights.values.resize(bytes->size() / sizeof(float));
  std::memcpy(weights.values.data(), bytes->data(), bytes->size());
  if (convolution) {
    SortConvolution(tensor->shape, call["attrs"]["groups"].Int(), &weights);
  } else {
    SortDense(tensor->shape, &weights);
  }
  Random random(parameters.at("seed").get<uint64_t>());
  change(weights, random);
  const std::string changed(reinterpret_cast<const char*>(weights.values.data()), bytes->size());
  if (changed == *bytes) return {};
  std::vector<Node> arguments = call["args"].Items();
  arguments[1] = relax::TensorConstant(*tensor, changed);
  return {{binding, WithArguments(call, arguments)}};
}

std::vector<size_t> Chosen(size_t count, double ratio, size_t least, Random& random) {
  std::vector<double> numbers(count);
  for (double& number : numbers) number = random.Uniform();
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; ++i)
    if (numbers[i] < ratio) chosen.push_back(i);
  if (chosen.size() >= least || count < least) return chosen;
  chosen.resize(count);
  std::iota(chosen.begin(), chosen.end(), 0);
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](size_t a, size_t b) { return numbers[a] < numbers[b]; });
  chosen.resize(least);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

ParameterSpec RatioParameter(const std::string& of) {
  return {.name = "ratio",
          .type = "number",
          .fallback = 0.01,
          .doc = "The share of " + of + " that are changed, by chance; at least one is."};
}

}  // namespace mutatenn
