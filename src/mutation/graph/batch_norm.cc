#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return IsCallOf(node, op::kBatchNorm); }

std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  const Node attrs = call["attrs"];
  auto with = [&](std::vector<Node> a, int64_t axis, double epsilon) {
    return Call(make::kBatchNorm, a[0], a[1], a[2], a[3], a[4], axis, epsilon, attrs["center"],
                attrs["scale"], attrs["momentum"], attrs["training"]);
  };
  std::vector<Node> arguments = call["args"].Items();
  const int64_t axis = attrs["axis"].Int();
  const double epsilon = attrs["epsilon"].Float();
  std::vector<Node> variants;
  if (HasWord(parameters, "change", "axis"))
    for (const int64_t other : {axis - 1, axis + 1})
      if (other >= 0) variants.push_back(with(arguments, other, epsilon));
  if (HasWord(parameters, "change", "epsilon"))
    variants.push_back(with(arguments, axis, parameters.at("epsilon").get<double>()));
  if (HasWord(parameters, "change", "statistics")) {
    std::swap(arguments[3], arguments[4]);
    variants.push_back(with(arguments, axis, epsilon));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.batch_norm", .category = "layout and attributes", .source = "new",
        .summary = "Changes the axis or epsilon of a batch normalisation, or swaps its statistics.",
        .doc =
            R"(axis: one less and one more, where that axis is as long as there are channels. epsilon: another one
(frameworks differ in its default: 1e-5 and 1e-3). statistics: mean and variance swapped, which takes roots of
negative means and is mostly loud.
apache/tvm#19574 and #18703 took the statistics of the data instead of the given ones; #3216 lost numbers in
the rewriting as scale and shift.
Another epsilon survives where variances are large.)",
        .example = "attributes",
        .parameters = {WordsParameter("change", {"axis", "epsilon", "statistics"},
                                      "What to change."),
                       {.name = "epsilon",
                        .type = "number",
                        .fallback = 1e-3,
                        .doc = "The epsilon to put in its place."}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
