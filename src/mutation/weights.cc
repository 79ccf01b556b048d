// A weight parameter to numbers and back, as a constant in the call's second argument.
#include "mutation/weights.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool IsWeight(const Graph& graph, const Node& node) {
  return std::any_of(graph.parameters.begin() + graph.num_inputs, graph.parameters.end(),
                     [&](const Node& parameter) { return parameter.Same(node); });
}

}  // namespace

std::vector<size_t> Weights::OfNeuron(size_t neuron) const {
  std::vector<size_t> places(values.size() / neurons);
  for (size_t i = 0; i < places.size(); ++i)
    places[i] = dense ? i * neurons + neuron : neuron * places.size() + i;
  return places;
}

// Input channel g * I + i acts on the O / groups neurons of group g, by the i-th of their I.
std::vector<size_t> Weights::OfInput(size_t input) const {
  std::vector<size_t> places;
  if (dense) {
    for (size_t neuron = 0; neuron < neurons; ++neuron) places.push_back(input * neurons + neuron);
    return places;
  }
  const size_t per_group = inputs / groups, first = input / per_group * (neurons / groups);
  for (size_t neuron = first; neuron < first + neurons / groups; ++neuron)
    for (size_t at = 0; at < window; ++at)
      places.push_back((neuron * per_group + input % per_group) * window + at);
  return places;
}

bool HasWeights(const Node& node, const Json&) {
  return IsCallOf(node, op::kConv2d) || IsCallOf(node, op::kMatmul);
}

std::vector<GraphEdit> ChangedWeights(const GraphView& view, size_t binding, const Json& parameters,
                                      const WeightChange& change) {
  const Graph& graph = view.graph();
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
  const auto extent = [&](size_t axis) { return static_cast<size_t>(tensor->shape[axis]); };
  weights.dense = !convolution;
  if (convolution) {
    weights.groups = static_cast<size_t>(call["attrs"]["groups"].Int());
    weights.neurons = extent(0), weights.inputs = extent(1) * weights.groups;
    weights.window = extent(2) * extent(3);
  } else {
    weights.inputs = extent(0), weights.neurons = extent(1);
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
  Random again = random;
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; ++i)
    if (random.Uniform() < ratio) chosen.push_back(i);
  if (chosen.size() >= least || count < least) return chosen;
  std::vector<std::pair<double, size_t>> numbers;
  for (size_t i = 0; i < count; ++i) numbers.emplace_back(again.Uniform(), i);
  std::partial_sort(numbers.begin(), numbers.begin() + least, numbers.end());
  chosen.clear();
  for (size_t i = 0; i < least; ++i) chosen.push_back(numbers[i].second);
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
