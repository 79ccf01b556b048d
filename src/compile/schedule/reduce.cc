// Rule R: a small reduction (pool, depthwise convolution, mean, the window of an LRN) ->
// accumulators of one vector along the row, in registers, computed under the epilogue's row piece.
// Where the reduced axes are the innermost (global pooling) a few channels run side by side
// instead.
#include "compile/schedule/rules.h"

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// A window that steps over the columns of an image without a pad: its image is copied as a pad
// would be, so that WidenRows can sort the columns.
std::vector<Node> PadsOf(Schedule& schedule, const Anatomy& anatomy, const Iterators& iterators,
                         size_t x) {
  if (!anatomy.before.empty()) return anatomy.before;
  const Node block = schedule.Get(anatomy.reductions[0]);
  const std::vector<Node> reads = block["reads"].Items();
  for (size_t read = 0; read < reads.size(); ++read) {
    const std::vector<Node> loads = LoadsOf(block["body"], reads[read]["source"]);
    if (loads.size() != 1 || loads[0]["indices"].size() != iterators.spatial.size()) continue;
    const Node column = loads[0]["indices"].Items().back();
    bool steps = false;
    Walk(column, [&](const Node& node) {
      steps = steps ||
              (node.Is(prim::kMul) && node["a"].Same(iterators.variables[iterators.spatial[x]]));
    });
    // Windows that touch every column once need no copy.
    if (!steps || iterators.extents[iterators.reduce.back()] < 3) continue;
    return {schedule.CacheRead(anatomy.reductions[0], static_cast<int>(read))};
  }
  return {};
}

}  // namespace

void ScheduleReduce(Schedule& schedule, const Anatomy& anatomy, const VectorUnit& unit) {
  constexpr int64_t kChainsSideBySide = 8, kUnrollWindow = 25;
  const Node& anchor = anatomy.reductions[0];
  const Iterators iterators = IteratorsOf(schedule.Get(anchor));
  if (schedule.Loops(anchor).size() != iterators.variables.size())
    GiveUp("the loops are not the iterators of the anchor");
  const size_t rank = iterators.spatial.size();
  auto extent = [&](size_t axis) { return iterators.extents[iterators.spatial[axis]]; };
  size_t x = rank;
  for (size_t axis = 0; axis < rank; ++axis)
    if (extent(axis) > 1) x = axis;
  if (x == rank) GiveUp("nothing to vectorise: one output element");
  const bool innermost_reduced = x + 1 != rank;
  int64_t window_size = 1;
  for (size_t position : iterators.reduce) window_size *= iterators.extents[position];
  const bool unrolled = window_size <= kUnrollWindow;
  const std::vector<Node> pads =
      unrolled && !innermost_reduced ? PadsOf(schedule, anatomy, iterators, x) : anatomy.before;
  // Over a padded image a part of a vector becomes a whole one (WidenRows).
  const Lifetime lifetime = unrolled && pads.empty() ? Lifetime::kStraight : Lifetime::kLoop;
  const int64_t lanes = innermost_reduced ? LargestDivisor(extent(x), kChainsSideBySide)
                                          : RowLanes(extent(x), unit, lifetime);

  const Epilogue epilogue = EpilogueOf(schedule, anchor);
  schedule.SetScope(anchor, "local");
  const std::vector<Node> pieces = schedule.Split(epilogue.loops[x], {lanes});
  std::vector<Node> order(epilogue.loops.begin(), epilogue.loops.begin() + static_cast<long>(x));
  order.push_back(pieces[0]);
  order.insert(order.end(), epilogue.loops.begin() + static_cast<long>(x) + 1,
               epilogue.loops.end());
  order.push_back(pieces[1]);
  schedule.Reorder(order);
  schedule.ComputeAt(anchor, order[order.size() - 2]);

  const size_t depth = order.size() - 1;
  const std::vector<Node> loops = schedule.Loops(anchor);
  std::vector<Node> inner, window;
  for (size_t axis = 0; axis < rank; ++axis)
    if (axis != x) inner.push_back(loops[depth + axis]);
  for (size_t axis = 0; axis < iterators.reduce.size(); ++axis)
    window.push_back(loops[depth + rank + axis]);
  const Node& lane_loop = loops[depth + x];
  inner.insert(inner.end(), window.begin(), window.end());
  inner.push_back(lane_loop);
  schedule.Reorder(inner);
  if (innermost_reduced)
    schedule.Unroll(lane_loop);
  else
    schedule.Vectorize(lane_loop);
  if (unrolled)
    for (const Node& loop : window) schedule.Unroll(loop);
  const Node init = schedule.DecomposeReduction(anchor, window[0]);
  schedule.Vectorize(schedule.Loops(init).back());
  schedule.Vectorize(pieces[1]);

  // One padded plane at a time stays in the cache: under the loop over channels.
  constexpr size_t kImageAxes = 3;
  if (rank >= kImageAxes)
    for (const Node& pad : pads) schedule.ComputeAt(pad, order[rank - kImageAxes]);
  for (const Node& pad : pads) schedule.HintPartition(schedule.Loops(pad).back());
}

}  // namespace mutatenn
