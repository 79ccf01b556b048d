// A scheduled small reduction over a padded image -> the same with whole vectors: a row piece of 14
// is computed as 16, on columns that the pad stage adds, and what is too much is never stored.
// Where the window steps over columns by s, the pad stage keeps every s-th column together, so that
// a vector is one load. (LLVM loads 14 floats in three pieces, and steps one by one.)
#include <algorithm>
#include <bit>
#include <optional>

#include "compile/schedule/rules.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// A block, its innermost loop, and the iterator that this loop runs over.
struct Place {
  Node loop;  // null where there is no such block
  Node block;
  Node variable;       // of the block
  int64_t extent = 0;  // of the iterator
  Node value;          // of the iterator
};

struct Plan {
  Place init, update, pad;
  Node sums, padded;  // buffers: what update adds to, what it reads
  Node new_sums, new_padded;
  int64_t stride = 1;
  int64_t made = 0;     // columns of the padded image that the function fills
  int64_t columns = 0;  // columns it gets: what is in the others reaches no output
  int64_t extra = 0;    // columns computed beyond a piece
};

Node BufferLike(const Node& buffer, const std::vector<int64_t>& extents) {
  std::vector<Node> shape;
  for (int64_t extent : extents) shape.push_back(IntImm("int64", extent));
  constexpr int kDefaultAlignment = -1, kNoOffset = 0;
  const Node type = buffer["ty"], none = std::vector<Node>{};
  return Make(global::kBufferVar, buffer["name"],
              Make(global::kMakeBufferType, type["storage_scope"], type["dtype"], Node(shape), none,
                   Node(), kDefaultAlignment, kNoOffset, Node(), none));
}

// The only store of a block, or null.
Node StoreOf(const Node& block) {
  return block["body"].Is(type::kBufferStore) ? block["body"] : Node();
}

std::optional<Place> PlaceOf(const Node& loop) {
  const Node realize = loop["body"], block = realize["block"];
  const Node store = StoreOf(block);
  if (!store || store["indices"].size() == 0) return std::nullopt;
  Place place = {loop, block, store["indices"].Items().back(), 0, Node()};
  const std::vector<Node> iterators = block["iter_vars"].Items();
  for (size_t i = 0; i < iterators.size(); ++i) {
    if (!iterators[i]["var"].Same(place.variable)) continue;
    if (!Uses(realize["iter_values"].At(i), loop["loop_var"])) return std::nullopt;
    place.extent = iterators[i]["dom"]["extent"].Int();
    place.value = realize["iter_values"].At(i);
    return place;
  }
  return std::nullopt;
}

// x, x + k or x * s + k -> s and k.
struct Step {
  int64_t stride = 1;
  Node offset;
};
std::optional<Step> StepOf(const Node& index, const Node& x) {
  auto scaled = [&](const Node& term) -> int64_t {
    if (term.Same(x)) return 1;
    if (term.Is(prim::kMul) && term["a"].Same(x) && term["b"].Is(type::kIntImm))
      return term["b"].Int();
    return 0;
  };
  if (!index.Is(prim::kAdd)) return std::nullopt;
  for (const auto& [term, offset] :
       {std::pair(index["a"], index["b"]), std::pair(index["b"], index["a"])})
    if (const int64_t stride = scaled(term); stride > 0 && !Uses(offset, x))
      return Step{stride, offset};
  return std::nullopt;
}

std::optional<Plan> PlanFor(const Node& function) {
  Plan plan;
  std::vector<Place> others;
  Walk(function["body"], [&](const Node& node) {
    if (!node.Is(type::kFor) || !node["body"].Is(type::kSBlockRealize)) return;
    const std::optional<Place> place = PlaceOf(node);
    if (!place) return;
    const std::string name = place->block["name_hint"].Text();
    if (name.ends_with("_init"))
      plan.init = *place;
    else if (name.ends_with("_update"))
      plan.update = *place;
    else
      others.push_back(*place);
  });
  if (!plan.init.loop || !plan.update.loop) return std::nullopt;
  plan.sums = StoreOf(plan.update.block)["buffer"];
  for (const Place& place : others) {
    const Node written = StoreOf(place.block)["buffer"];
    if (LoadsOf(plan.update.block["body"], written).size() != 1) continue;
    plan.pad = place;
    plan.padded = written;
  }
  if (!plan.pad.loop || plan.sums["ty"]["storage_scope"].Text() != "local") return std::nullopt;

  constexpr int64_t kVectorized = 2;
  const int64_t lanes = plan.update.loop["extent"].Int();
  if (plan.update.loop["kind"].Int() != kVectorized || plan.init.loop["extent"].Int() != lanes)
    return std::nullopt;
  plan.extra = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(lanes))) - lanes;
  std::vector<Node> indices = LoadsOf(plan.update.block["body"], plan.padded)[0]["indices"].Items();
  const std::optional<Step> step = StepOf(indices.back(), plan.update.variable);
  indices.pop_back();
  if (!step || Uses(Node(indices), plan.update.variable)) return std::nullopt;
  plan.stride = step->stride;
  if (plan.stride == 1 && plan.extra == 0) return std::nullopt;
  // Pieces that are summed side by side may not overlap.
  bool side_by_side = false;
  constexpr int64_t kUnrolled = 3;
  Walk(function["body"], [&](const Node& node) {
    side_by_side =
        side_by_side || (node.Is(type::kFor) && node["kind"].Int() == kUnrolled &&
                         node["extent"].Int() > 1 && Uses(plan.update.value, node["loop_var"]));
  });
  if (side_by_side && plan.extra > 0) return std::nullopt;

  std::vector<int64_t> shape = ShapeOf(plan.padded);
  const Node pad_loop = plan.pad.loop;
  bool direct = false;  // the loop variable is the column
  for (const Node& value : pad_loop["body"]["iter_values"].Items())
    direct = direct || value.Same(pad_loop["loop_var"]);
  if (!direct) return std::nullopt;
  plan.made = pad_loop["extent"].Int();
  const int64_t wanted = plan.made + plan.stride * plan.extra;
  plan.columns = (wanted + plan.stride - 1) / plan.stride * plan.stride;
  shape.back() = plan.columns / plan.stride;
  if (plan.stride > 1) shape.insert(shape.end() - 1, plan.stride);
  plan.new_padded = BufferLike(plan.padded, shape);
  std::vector<int64_t> sums = ShapeOf(plan.sums);
  sums.back() += plan.extra;
  plan.new_sums = BufferLike(plan.sums, sums);
  return plan;
}

// The last index of the padded image as that of its new layout.
std::vector<Node> Reindexed(const Plan& plan, std::vector<Node> indices) {
  if (plan.stride == 1) return indices;
  const Node index = indices.back();
  const Node stride = IntImm(DTypeOf(index), plan.stride);
  indices.pop_back();
  if (const std::optional<Step> step = StepOf(index, plan.update.variable)) {
    indices.push_back(Make(prim::kFloorMod, step->offset, stride));
    indices.push_back(
        Make(prim::kAdd, plan.update.variable, Make(prim::kFloorDiv, step->offset, stride)));
  } else {
    indices.push_back(Make(prim::kFloorMod, index, stride));
    indices.push_back(Make(prim::kFloorDiv, index, stride));
  }
  return indices;
}

// The loop over the columns of the pad: over those of one phase, and inside it over the phases, so
// that the columns inside the image are vectors again. The bound of what is filled stands outside
// the block, for what is inside may be mutated.
Node PadLoop(const Plan& plan, const Node& loop) {
  const Node variable = loop["loop_var"];
  const std::string type = DTypeOf(loop["extent"]);
  auto number = [&](int64_t value) { return IntImm(type, value); };
  const Node phase = Make(global::kVar, "phase", PrimType(type));
  const Node column =
      plan.stride == 1 ? variable
                       : Make(prim::kAdd, Make(prim::kMul, variable, number(plan.stride)), phase);
  const Node realize = loop["body"];
  std::vector<Node> values = realize["iter_values"].Items();
  for (Node& value : values)
    if (value.Same(variable)) value = column;
  Node predicate = realize["predicate"];
  if (plan.columns > plan.made)
    predicate = Make(prim::kAnd, predicate, Make(prim::kLT, column, number(plan.made)));
  Node body = WithFields(realize, {{"iter_values", Node(values)}, {"predicate", predicate}});
  constexpr int kUnrolled = 3;
  if (plan.stride > 1)
    body = Make(global::kFor, phase, number(0), number(plan.stride), kUnrolled, body, Node(),
                MakeDict({}), Node());
  return WithFields(loop, {{"extent", number(plan.columns / plan.stride)}, {"body", body}});
}

}  // namespace

Node WidenRows(const Node& function) {
  const std::optional<Plan> found = PlanFor(function);
  if (!found) return function;
  const Plan& plan = *found;
  auto domain = [&](const Place& place, int64_t extent, const Node& node) -> Node {
    if (!node.Is(type::kIterVar) || !node["var"].Same(place.variable)) return Node();
    const Node dom = node["dom"];
    return Make(global::kIterVar,
                Make(global::kRange, dom["min"], IntImm(DTypeOf(dom["extent"]), extent)),
                node["var"], node["iter_type"], node["thread_tag"]);
  };
  const int64_t lanes = plan.update.loop["extent"].Int() + plan.extra;
  return Map(function, [&](const Node& node) -> Node {
    if (node.Same(plan.padded)) return plan.new_padded;
    if (node.Same(plan.sums)) return plan.new_sums;
    for (const Place* place : {&plan.init, &plan.update}) {
      if (node.Is(type::kFor) && node["loop_var"].Same(place->loop["loop_var"]))
        return WithFields(node, {{"extent", IntImm(DTypeOf(node["extent"]), lanes)}});
      if (Node made = domain(*place, place->extent + plan.extra, node)) return made;
    }
    if (node.Is(type::kFor) && node["loop_var"].Same(plan.pad.loop["loop_var"]))
      return PadLoop(plan, node);
    if (Node made = domain(plan.pad, plan.columns, node)) return made;
    if (node.Is(type::kTensorLoad) && node["source"].Same(plan.new_padded))
      return Make(global::kBufferLoad, plan.new_padded,
                  Node(Reindexed(plan, node["indices"].Items())));
    if (node.Is(type::kBufferStore) && node["buffer"].Same(plan.new_padded))
      return WithFields(node, {{"indices", Node(Reindexed(plan, node["indices"].Items()))}});
    if (node.Is(type::kTensorRegion) && node["source"].Same(plan.new_padded)) {
      std::vector<Node> starts, ranges;
      for (const Node& range : node["region"].Items()) starts.push_back(range["min"]);
      for (const Node& start : Reindexed(plan, starts))
        ranges.push_back(Make(global::kRange, start, IntImm(DTypeOf(start), 1)));
      return Call(global::kBufferRegion, plan.new_padded, Node(ranges));
    }
    return node;
  });
}

Node SplitPads(const Node& function) {
  return Map(function, [](const Node& node) -> Node {
    if (!node.Is(type::kFor) || !node["annotations"].Find(primitive::kPartitionHint)) return node;
    const Node realize = node["body"];
    if (!realize.Is(type::kSBlockRealize) || !StoreOf(realize["block"])) return node;
    const std::optional<Place> place = PlaceOf(node);
    if (!place || !StoreOf(place->block)["value"].Is(type::kCall)) return node;
    const Node body = Map(place->block["body"], [&](const Node& condition) -> Node {
      if (!condition.Is(prim::kLT) && !condition.Is(prim::kLE)) return condition;
      if (!Uses(condition, place->variable)) return condition;
      return Make(global::kLikely, condition);
    });
    const Node block = WithFields(place->block, {{"body", body}});
    return WithFields(node, {{"body", WithFields(realize, {{"block", block}})}});
  });
}

}  // namespace mutatenn
