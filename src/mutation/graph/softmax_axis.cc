#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return IsCallOf(node, op::kSoftmax) || IsCallOf(node, op::kLogSoftmax);
}

std::vector<Node> Rewrite(const Node& node, const Json&) {
  const Node x = node["args"].At(0);
  const auto tensor = StaticTensor(x);
  if (!tensor) return {};
  const int64_t rank = static_cast<int64_t>(tensor->shape.size());
  int64_t axis = node["attrs"]["axis"].Int();
  if (axis < 0) axis += rank;
  std::vector<Node> variants;
  for (int64_t other = 0; other < rank; ++other)
    if (other != axis)
      variants.push_back(
          Call(IsCallOf(node, op::kSoftmax) ? make::kSoftmax : make::kLogSoftmax, x, other));
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.softmax_axis", .category = "layout and attributes", .source = "new",
        .summary = "Takes a softmax over another axis.",
        .doc =
            R"(apache/tvm#19420 and #20183: the default axis and the flattening of an older ONNX version missed.
Over an axis of one element, such as the batch, everything becomes 1. Seldom survives.)",
        .example = "attributes", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
