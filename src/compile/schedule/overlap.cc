// Row pieces of which the last is not full -> pieces that are all full: the last starts earlier and
// makes some columns a second time, with the same values. Only for pieces that are summed one after
// the other; each has its own accumulators.
#include "compile/schedule/rules.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// `loop` runs over the lanes of a block whose column base + lane has the condition that a split
// left, that it be less than the row: the same with min(base, row - lanes) for base and no
// condition. Null where it is something else.
Node Full(const Node& loop) {
  const Node realize = loop["body"], condition = realize["predicate"], lane = loop["loop_var"];
  if (!condition.Is(prim::kLT) || !condition["b"].Is(type::kIntImm) || !Uses(condition["a"], lane))
    return Node();
  const int64_t row = condition["b"].Int(), first = row - loop["extent"].Int();
  if (first < 0) return Node();
  std::vector<Node> values = realize["iter_values"].Items();
  int replaced = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Node column = values[i];
    if (!Uses(column, lane)) continue;
    if (!column.Is(prim::kAdd) || !column["b"].Same(lane) || Uses(column["a"], lane) ||
        realize["block"]["iter_vars"].At(i)["dom"]["extent"].Int() != row)
      return Node();
    const Node last = IntImm(DTypeOf(column["a"]), first);
    values[i] = Make(prim::kAdd, Make(prim::kMin, column["a"], last), lane);
    ++replaced;
  }
  if (replaced != 1) return Node();
  const Node full =
      WithFields(realize, {{"iter_values", Node(values)}, {"predicate", IntImm("bool", 1)}});
  return WithFields(loop, {{"body", full}});
}

}  // namespace

Node OverlapPieces(const Node& function) {
  constexpr int64_t kVectorized = 2;
  constexpr size_t kInitUpdateEpilogue = 3;
  auto conditional = [](const Node& node) {
    return node.Is(type::kFor) && node["kind"].Int() == kVectorized &&
           node["body"].Is(type::kSBlockRealize) && !node["body"]["predicate"].Is(type::kIntImm);
  };
  size_t found = 0, full = 0;
  Walk(function["body"], [&](const Node& node) {
    if (!conditional(node)) return;
    ++found;
    if (Full(node)) ++full;
  });
  if (found == 0) return function;
  // All or none: they agree on what lies where.
  if (full != found || found != kInitUpdateEpilogue) GiveUp("pieces that cannot overlap");
  return Map(function, [&](const Node& node) { return conditional(node) ? Full(node) : node; });
}

}  // namespace mutatenn
