// Questions about Relax calls, and calls with one argument replaced.
#include "mutation/relax_calls.h"

#include <utility>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// A configuration's word for a function, and Relax's.
constexpr std::pair<const char*, const char*> kFunctions[] = {
    {"batch_norm", op::kBatchNorm}, {"conv2d", op::kConv2d}, {"dense", op::kMatmul}};

}  // namespace

bool IsCallOf(const Node& node, const char* name) { return relax::OperatorOf(node) == name; }

std::optional<relax::Tensor> StaticTensor(const Node& expression) {
  if (!expression.Has("ty")) return std::nullopt;
  const Node ty = expression["ty"];
  if (!ty.Is(type::kTensorType) || !ty["dtype"] || !ty["shape"].Is(type::kShapeExpr))
    return std::nullopt;
  for (const Node& extent : ty["shape"]["values"].Items())
    if (!extent.Is(type::kIntImm)) return std::nullopt;
  return relax::TensorsOf(ty).front();
}

ParameterSpec FunctionsParameter() {
  ParameterSpec spec{.name = "functions",
                     .type = "strings",
                     .fallback = Json::array({"conv2d"}),
                     .doc = "Calls of these functions are mutated; dense is any matrix product."};
  for (const auto& [word, name] : kFunctions) spec.allowed.push_back(word);
  return spec;
}

ParameterSpec ArgumentParameter() {
  return {
      .name = "arg",
      .type = "integer",
      .fallback = 0,
      .doc = "The argument that is changed: 0 the data, 1 the weight (of batch_norm, the scale).",
      .allowed = {"0", "1"}};
}

ParameterSpec SyntheticParameter() {
  return {
      .name = "synthetic",
      .type = "boolean",
      .fallback = false,
      .doc =
          "Also nodes that the importer made of parts of others, such as the addition of a bias."};
}

bool IsChosenFunction(const Node& node, const Json& parameters) {
  for (const Json& word : parameters.at("functions"))
    for (const auto& [known, name] : kFunctions)
      if (word == known && IsCallOf(node, name)) return true;
  return false;
}

Node ChosenArgument(const Node& call, const Json& parameters) {
  const std::vector<Node> arguments = call["args"].Items();
  const size_t chosen = parameters.at("arg").get<size_t>();
  return chosen < arguments.size() ? arguments[chosen] : Node();
}

Node WithChosenArgument(const Node& call, const Json& parameters, const Node& argument) {
  std::vector<Node> arguments = call["args"].Items();
  arguments.at(parameters.at("arg").get<size_t>()) = argument;
  return WithFields(call, {{"args", Node(arguments)}});
}

}  // namespace mutatenn
