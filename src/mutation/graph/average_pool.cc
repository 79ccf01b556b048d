#include <algorithm>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return IsCallOf(node, op::kAvgPool2d); }

// Without padding both mean the same.
std::vector<Node> Rewrite(const Node& node, const Json&) {
  const Node attrs = node["attrs"];
  const std::vector<int64_t> padding = Integers(attrs["padding"]);
  if (std::all_of(padding.begin(), padding.end(), [](int64_t p) { return p == 0; })) return {};
  const bool counted = attrs["count_include_pad"].Int() != 0;
  return {Call(make::kAvgPool2d, node["args"].At(0), attrs["pool_size"], attrs["strides"],
               attrs["padding"], attrs["dilation"], attrs["ceil_mode"], !counted, attrs["layout"],
               attrs["out_layout"])};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.average_pool", .category = "layout and attributes", .source = "new",
        .summary = "Counts the padding in an average pooling, or no longer counts it.",
        .doc =
            R"(A default that differs between frameworks (`count_include_pad`): apache/tvm#1144, #10614 and #18487.
Only where the pooling has padding. Changes the border of the planes, and survives where that says little.)",
        .example = "attributes", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
