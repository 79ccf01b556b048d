// A contraction whose channels do not fill vectors (1000 = 62.5 * 16) -> the same over more
// channels, which the packed weight has and the epilogue never reads: every product is one of whole
// vectors.
#include "compile/schedule/anatomy.h"
#include "compile/schedule/contraction.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

Node WithExtent(const Node& buffer, size_t axis, int64_t extent) {
  std::vector<Node> shape = buffer["ty"]["shape"].Items();
  shape.at(axis) = IntImm(DTypeOf(shape.at(axis)), extent);
  constexpr int kDefaultAlignment = -1, kNoOffset = 0;
  const Node type = buffer["ty"], none = std::vector<Node>{};
  return Make(global::kBufferVar, buffer["name"],
              Make(global::kMakeBufferType, type["storage_scope"], type["dtype"], Node(shape), none,
                   Node(), kDefaultAlignment, kNoOffset, Node(), none));
}

}  // namespace

int64_t WholeChannels(const Contraction& contraction, const VectorUnit& unit) {
  constexpr int64_t kWorthOneIn = 16;
  const int64_t channels = contraction.channels();
  const int64_t whole = (channels + unit.lanes - 1) / unit.lanes * unit.lanes;
  const bool possible =
      contraction.weight_parameter >= 0 && contraction.has_rows() && contraction.group == channels;
  return possible && (whole - channels) * kWorthOneIn <= channels ? whole : contraction.group;
}

Node PadChannels(const Node& function, const Node& anchor, const Contraction& contraction,
                 int64_t channels) {
  const size_t parameter = static_cast<size_t>(contraction.weight_parameter);
  const Node weight = function["params"].At(parameter);
  const Node sums = anchor["writes"].At(0)["source"];
  Node wide_weight = WithExtent(weight, contraction.weight_axis, channels);
  Node wide_sums = WithExtent(sums, contraction.channel, channels);
  const Iterators iterators = IteratorsOf(anchor);
  const size_t position = iterators.spatial[contraction.channel];
  const Node variable = iterators.variables[position];
  Node loop_variable;
  Walk(function["body"], [&](const Node& node) {
    if (node.Is(type::kSBlockRealize) &&
        node["block"]["name_hint"].Text() == anchor["name_hint"].Text())
      loop_variable = node["iter_values"].At(position);
  });
  if (!loop_variable || !loop_variable.Is(type::kVar)) GiveUp("the channel is no plain loop");
  const Node padded = Map(function, [&](const Node& node) -> Node {
    if (node.Same(weight)) return wide_weight;
    if (node.Same(sums)) return wide_sums;
    if (node.Is(type::kFor) && node["loop_var"].Same(loop_variable))
      return WithFields(node, {{"extent", IntImm(DTypeOf(node["extent"]), channels)}});
    if (node.Is(type::kIterVar) && node["var"].Same(variable)) {
      const Node domain = node["dom"];
      return Make(global::kIterVar,
                  Make(global::kRange, domain["min"], IntImm(DTypeOf(domain["extent"]), channels)),
                  node["var"], node["iter_type"], node["thread_tag"]);
    }
    return node;
  });
  return WithFields(padded, {{"params", padded["params"]}});
}

}  // namespace mutatenn
