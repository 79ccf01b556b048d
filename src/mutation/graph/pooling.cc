#include <algorithm>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// GlobalAveragePool arrives as a mean.
std::string KindOf(const Node& node) {
  if (IsCallOf(node, op::kAvgPool2d) || IsCallOf(node, op::kMean)) return "avg";
  if (IsCallOf(node, op::kMaxPool2d) || IsCallOf(node, op::kMax)) return "max";
  return "";
}

bool Matches(const Node& node, const Json& parameters) {
  return HasWord(parameters, "from", KindOf(node));
}

std::vector<Node> Rewrite(const Node& node, const Json&) {
  const Node x = node["args"].At(0), attrs = node["attrs"];
  const bool average = KindOf(node) == "avg";
  if (attrs.Has("keepdims"))
    return {Call(average ? make::kMax : make::kMean, x, attrs["axis"], attrs["keepdims"])};
  std::vector<Node> variants;
  auto add = [&](const char* function, bool count_padding) {
    variants.push_back(Call(function, x, attrs["pool_size"], attrs["strides"], attrs["padding"],
                            attrs["dilation"], attrs["ceil_mode"], count_padding, attrs["layout"],
                            attrs["out_layout"]));
  };
  add(average ? make::kMaxPool2d : make::kAvgPool2d, false);
  const std::vector<int64_t> padding = Integers(attrs["padding"]);
  const bool padded = std::any_of(padding.begin(), padding.end(), [](int64_t p) { return p > 0; });
  if (!average && padded) add(make::kAvgPool2d, true);
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.pooling", .category = "layer node", .source = "new",
        .summary = "Replaces max pooling with average pooling and the reverse.",
        .doc =
            R"(The wrong reduction in a window, or over whole axes (GlobalAveragePool and ReduceMean, which become
the largest element, and ReduceMax). No known issue.
Where max pooling has padding there are two variants: padding left out of the average, or counted.
Survives where windows are nearly constant.)",
        .example = "attributes",
        .parameters = {WordsParameter("from", {"avg", "max"}, "Poolings to replace.")},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
