#include <algorithm>
#include <numeric>
#include <utility>

#include "mutation/graph_view.h"
#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr std::pair<const char*, const char*> kElementWise[] = {
    {"abs", op::kAbs}, {"ceil", op::kCeil},         {"exp", op::kExp},     {"floor", op::kFloor},
    {"log", op::kLog}, {"negative", op::kNegative}, {"round", op::kRound}, {"sqrt", op::kSqrt}};

ParameterSpec OperationParameter() {
  ParameterSpec spec{.name = "operation",
                     .type = "string",
                     .fallback = "exp",
                     .doc =
                         "transpose swaps the last two axes; permute makes a mutant of every "
                         "order of the axes; clip is to [-1, 1]."};
  spec.allowed = {"clip", "permute", "transpose"};
  for (const auto& [word, name] : kElementWise) spec.allowed.push_back(word);
  std::sort(spec.allowed.begin(), spec.allowed.end());
  return spec;
}

std::vector<Node> Transposes(const Node& x, const std::vector<int64_t>& shape, bool all) {
  std::vector<int64_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::vector<Node> results;
  auto add = [&] {
    if (MovesElements(shape, axes)) results.push_back(TransposeCall(x, axes));
  };
  if (all) {
    while (std::next_permutation(axes.begin(), axes.end())) add();
  } else if (axes.size() >= 2) {
    std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
    add();
  }
  return results;
}

std::vector<Node> Operated(const Node& x, const relax::Tensor& tensor, const Json& parameters) {
  const std::string operation = parameters.at("operation");
  if (operation == "transpose") return Transposes(x, tensor.shape, false);
  if (operation == "permute") return Transposes(x, tensor.shape, true);
  if (operation == "clip") return {ClipCall(x, -1, 1)};
  for (const auto& [word, name] : kElementWise)
    if (operation == word) return {relax::OperatorCall(name, {x})};
  return {};
}

std::vector<GraphEdit> Before(const GraphView& view, size_t at, const Json& parameters) {
  const Node& call = view.binding(at).value;
  const Node argument = ChosenArgument(call, parameters);
  const auto tensor = argument ? FloatTensor(argument) : std::nullopt;
  if (!tensor) return {};
  std::vector<GraphEdit> edits;
  for (const Node& operated : Operated(argument, *tensor, parameters))
    edits.push_back({at, WithChosenArgument(call, parameters, operated)});
  return edits;
}

// Behind batch_norm means behind its first item: the others are statistics.
std::vector<GraphEdit> After(const GraphView& view, size_t at, const Json& parameters) {
  const size_t result = view.ResultOf(at);
  const GraphBinding& binding = view.binding(result);
  const auto tensor = FloatTensor(binding.variable);
  if (!tensor) return {};
  std::vector<GraphEdit> edits;
  for (const Node& operated : Operated(binding.value, *tensor, parameters))
    edits.push_back({result, operated});
  return edits;
}

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return parameters.at("order") == "before" ? Before(view, at, parameters)
                                            : After(view, at, parameters);
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.insert_operation", .category = "node input/output", .source = "paper",
        .summary =
            "Puts an operation before an argument, or behind the result, of the chosen functions.",
        .doc =
            R"(A stray operation at a layer's border: the paper's NIO and the tool's `apply_tensor_operation`.
A transposition stands for a layout mistaken, as in apache/tvm#15174 (a concatenation's axis read in the wrong
layout); floor, ceil and round for a cast to whole numbers and back, and for the wrong rounding of ties
(apache/tvm#18590).
transpose and permute apply where the shape stays as it is; elsewhere every shape behind would change.
`after` is right behind the call: the bias that the importer adds comes later.
exp often ends in infinities, log and sqrt of negative values in NaN (which TVM's ReLU turns into 0); clip,
abs and transpositions survive where values are small, positive, or planes nearly symmetric, as they are
deep in a network.)",
        .example = "layers",
        .parameters = {OperationParameter(), OrderParameter(), FunctionsParameter(),
                       ArgumentParameter()},
        .matches = IsChosenFunction, .rewrite_graph = Rewrite);

}  // namespace mutatenn
