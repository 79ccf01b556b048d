#include <utility>

#include "mutation/activations.h"
#include "mutation/graph_view.h"
#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// 3x3 windows at every place.
Node Pool(const char* function, const Node& x) {
  return Call(function, x, IntegerArray({3, 3}), IntegerArray({1, 1}), IntegerArray({1, 1, 1, 1}),
              IntegerArray({1, 1}), false, false, "NCHW", "NCHW");
}

bool NeverNegative(const Node& value) {
  const std::string activation = ActivationOf(value);
  return activation == "relu" || activation == "relu6" || activation == "sigmoid" ||
         IsCallOf(value, op::kSoftmax);
}

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  const auto layer = view.LayerAt(at);
  if (!layer) return {};
  const size_t result = layer->result();
  const Node value = view.binding(result).value;
  const auto tensor = FloatTensor(view.binding(result).variable);
  if (!tensor || tensor->shape.size() < 2) return {};
  const bool planes = tensor->shape.size() == 4 && tensor->shape[2] * tensor->shape[3] > 1;
  std::vector<GraphEdit> edits;
  for (const std::string& word : Words(parameters, "kind")) {
    if (word == "avg_pool" || word == "max_pool") {
      if (planes)
        edits.push_back(
            {result, Pool(word == "avg_pool" ? make::kAvgPool2d : make::kMaxPool2d, value)});
    } else if (word == "softmax") {
      edits.push_back({result, Call(make::kSoftmax, value, int64_t{1})});
    } else if (word != "relu" || !NeverNegative(value)) {
      edits.push_back({result, ActivationCall(word, value)});
    }
  }
  return edits;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.layer_added", .category = "layers", .source = "new",
        .summary = "Puts a new layer behind a layer.",
        .doc =
            R"(LEMON's and DeepMutation's layer addition: pooling in windows of 3x3 at every place, an activation, or
a softmax over the second axis (the channels). No known issue.
relu is left out behind what is never negative; pooling survives where planes are smooth.)",
        .example = "layers",
        .parameters = {WordsParameter("kind", {"avg_pool", "max_pool", "relu", "softmax", "tanh"},
                                      "What to add; one mutant for each.")},
        .matches = IsLayerNode, .rewrite_graph = Rewrite);

}  // namespace mutatenn
