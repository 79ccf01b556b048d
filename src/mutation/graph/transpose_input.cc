#include <utility>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Only square planes: with other extents every shape behind the call would change. A plane of one
// element is its own transpose.
std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  const Node argument = ChosenArgument(call, parameters);
  const auto tensor = StaticTensor(argument);
  if (!tensor || tensor->shape.size() < 2) return {};
  const size_t rank = tensor->shape.size();
  if (tensor->shape[rank - 1] != tensor->shape[rank - 2] || tensor->shape[rank - 1] == 1) return {};
  std::vector<Node> axes;
  for (size_t axis = 0; axis < rank; ++axis) axes.emplace_back(static_cast<int64_t>(axis));
  std::swap(axes[rank - 1], axes[rank - 2]);
  return {WithChosenArgument(call, parameters, Call(make::kPermuteDims, argument, Node(axes)))};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.transpose_input", .category = "node input/output", .source = "paper",
        .summary = "Swaps the last two axes of an argument of the chosen functions.",
        .doc =
            R"(A layout mistaken: the data (in NCHW, height and width) or the weight is transposed.
Applies where both axes have the same extent, more than 1; elsewhere the shapes behind it would change.
Survives where planes are nearly symmetric, as small ones deep in a network are.)",
        .example = "layers", .parameters = {FunctionsParameter(), ArgumentParameter()},
        .matches = IsChosenFunction, .rewrite = Rewrite);

}  // namespace mutatenn
