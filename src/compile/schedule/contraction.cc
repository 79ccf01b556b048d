// Recognises C += A * W from the body of the anchor: W is the operand that exactly one spatial
// iterator of more than one step indexes directly, while A is indexed by it through oc // group at
// most.
#include "compile/schedule/contraction.h"

#include <algorithm>
#include <optional>

#include "compile/schedule/anatomy.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

std::optional<size_t> AxisOf(const Node& load, const Node& variable) {
  const std::vector<Node> indices = load["indices"].Items();
  for (size_t axis = 0; axis < indices.size(); ++axis)
    if (indices[axis].Same(variable)) return axis;
  return std::nullopt;
}

// Position among the spatial axes of the one that runs over the channels of `weight`.
std::optional<size_t> ChannelOf(const Iterators& iterators, const Node& weight, const Node& data) {
  std::optional<size_t> channel;
  for (size_t axis = 0; axis < iterators.spatial.size(); ++axis) {
    const size_t position = iterators.spatial[axis];
    if (iterators.extents[position] == 1) continue;
    if (!AxisOf(weight, iterators.variables[position])) continue;
    if (channel || AxisOf(data, iterators.variables[position])) return std::nullopt;
    channel = axis;
  }
  return channel;
}

// oc // n in the indices of the data: groups of n channels.
int64_t GroupOf(const Node& data, const Node& variable, int64_t channels) {
  const Node indices = data["indices"];
  if (!Uses(indices, variable)) return channels;
  int64_t group = 0;
  Walk(indices, [&](const Node& node) {
    if (node.Is(prim::kFloorDiv) && Uses(node["a"], variable)) group = node["b"].Int();
  });
  if (group == 0 || channels % group != 0) GiveUp("the groups of channels are not oc // n");
  return group;
}

// Which of the constant parameters is loaded; -1 where none is.
int ConstantParameter(const Node& load, const Node& function, const std::vector<int>& constants) {
  for (int index : constants)
    if (load["source"].Same(function["params"].At(static_cast<size_t>(index)))) return index;
  return -1;
}

}  // namespace

Contraction ContractionOf(const Schedule& schedule, const Node& anchor, const Node& function,
                          const std::vector<int>& constant_parameters) {
  const Node block = schedule.Get(anchor);
  const Node store = block["body"];
  if (!store.Is(type::kBufferStore)) GiveUp("the anchor is no single store");
  const Node sum = store["value"];
  if (!sum.Is(prim::kAdd) || !sum["a"].Is(type::kTensorLoad) || !sum["b"].Is(prim::kMul))
    GiveUp("the anchor does not sum products");
  Node data = sum["b"]["a"], weight = sum["b"]["b"];
  if (!data.Is(type::kTensorLoad) || !weight.Is(type::kTensorLoad))
    GiveUp("the anchor does not multiply two loads");

  const Iterators iterators = IteratorsOf(block);
  for (size_t axis = 0; axis < iterators.spatial.size(); ++axis)
    if (!store["indices"].At(axis).Same(iterators.variables[iterators.spatial[axis]]))
      GiveUp("the output index is no plain iterator");

  if (ConstantParameter(data, function, constant_parameters) >= 0 &&
      ConstantParameter(weight, function, constant_parameters) < 0)
    std::swap(data, weight);
  std::optional<size_t> channel = ChannelOf(iterators, weight, data);
  if (!channel) {
    std::swap(data, weight);
    channel = ChannelOf(iterators, weight, data);
  }
  if (!channel) GiveUp("no operand is indexed by output channels alone");

  Contraction contraction;
  for (size_t position : iterators.spatial)
    contraction.extents.push_back(iterators.extents[position]);
  for (size_t position : iterators.reduce) contraction.reduction *= iterators.extents[position];
  contraction.reduce_axes = iterators.reduce.size();
  contraction.channel = *channel;
  const Node variable = iterators.variables[iterators.spatial[*channel]];
  contraction.group = GroupOf(data, variable, contraction.channels());
  contraction.weight_axis = *AxisOf(weight, variable);
  contraction.weight_contiguous = contraction.weight_axis + 1 == weight["indices"].size();
  contraction.weight_parameter = ConstantParameter(weight, function, constant_parameters);
  contraction.weight_type = {ShapeOf(weight["source"]), DTypeOf(weight)};
  const std::vector<Node> reads = block["reads"].Items();
  for (size_t index = 0; index < reads.size(); ++index)
    if (reads[index]["source"].Same(weight["source"]))
      contraction.read_of_weight = static_cast<int>(index);
  Walk(data["indices"].Items().back(),
       [&](const Node& node) { contraction.strided = contraction.strided || node.Is(prim::kMul); });
  return contraction;
}

std::optional<Packing> PackWeight(Schedule& schedule, const Node& anchor,
                                  const Contraction& contraction, int64_t block) {
  if (contraction.weight_parameter < 0) return std::nullopt;
  if (contraction.weight_contiguous && block == contraction.channels()) return std::nullopt;
  const size_t axis = contraction.weight_axis;
  schedule.TransformRead(anchor, contraction.read_of_weight, [&](std::vector<Node> index) {
    const Node channel = index[axis], size = IntImm(DTypeOf(channel), block);
    index.erase(index.begin() + static_cast<long>(axis));
    index.insert(index.begin(), Make(prim::kFloorDiv, channel, size));
    index.push_back(Make(prim::kFloorMod, channel, size));
    return index;
  });
  return Packing{contraction.weight_parameter, contraction.weight_type, axis, block};
}

}  // namespace mutatenn
