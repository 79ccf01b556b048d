#include <algorithm>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return IsCallOf(node, op::kConcat); }

// Along another axis the elements fill the same shape in another order, unless the axes between
// have one element each.
std::vector<Node> OtherAxes(const Node& call, const std::vector<Node>& inputs) {
  const auto first = StaticTensor(inputs[0]), result = StaticTensor(call);
  if (!first || !result || !call["attrs"]["axis"]) return {};
  const int64_t rank = static_cast<int64_t>(first->shape.size());
  int64_t axis = call["attrs"]["axis"].Int();
  if (axis < 0) axis += rank;
  std::vector<Node> variants;
  for (int64_t other = 0; other < rank; ++other) {
    const auto begin = first->shape.begin();
    if (std::all_of(begin + std::min(axis, other), begin + std::max(axis, other),
                    [](int64_t extent) { return extent == 1; }))
      continue;
    variants.push_back(
        ReshapeCall(Call(make::kConcat, Make(global::kTuple, Node(inputs)), other), result->shape));
  }
  return variants;
}

std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  std::vector<Node> inputs = ArgumentsOf(call);
  std::vector<Node> variants;
  if (HasWord(parameters, "change", "axis")) variants = OtherAxes(call, inputs);
  if (HasWord(parameters, "change", "order")) {
    std::reverse(inputs.begin(), inputs.end());
    variants.push_back(WithArguments(call, inputs));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.concat", .category = "layout and attributes", .source = "new",
        .summary = "Concatenates in another order, or along another axis.",
        .doc =
            R"(order: the inputs from last to first. axis: along each other axis, the elements then read in the shape
that is expected; where the inputs have unequal extents there is no such mutant.
apache/tvm#15174: the Keras importer concatenated along an axis of the wrong layout.
Survives where the inputs are alike, or what follows treats all channels alike.)",
        .example = "attributes",
        .parameters = {WordsParameter("change", {"axis", "order"}, "What to change.")},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
