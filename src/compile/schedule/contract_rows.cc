// Rule Cx: a contraction -> vectors along the image row; each weight is loaded once and broadcast
// to them, `blocks` of them side by side (packed so where they are constant).
#include <algorithm>
#include <numeric>

#include "compile/schedule/rules.h"

namespace mutatenn {

namespace {

struct RowTile {
  int64_t lanes = 1;    // pixels in a vector
  int64_t vectors = 1;  // such vectors along the row
  int64_t blocks = 1;   // output channels
};

// How many of `rows` weights rows, `bytes` apart, fall into one set of the first-level cache.
int64_t RowsPerSet(int64_t rows, int64_t bytes) {
  constexpr int64_t kSetsTimesLine = 4096, kLine = 64;
  return rows * std::max(std::gcd(bytes, kSetsTimesLine), kLine) / kSetsTimesLine;
}

// A load of data serves `blocks` products, a broadcast weight `vectors` of them.
RowTile ChooseTile(const Contraction& contraction, const VectorUnit& unit) {
  // SSE has no broadcasting load: there each weight takes a register and a shuffle.
  const bool broadcasts = unit.lanes > 4 || unit.registers > 16;
  const int64_t blocks = broadcasts ? 8 : 4;
  RowTile tile;
  tile.lanes = RowLanes(contraction.width(), unit, Lifetime::kLoop);
  const int64_t most = std::max<int64_t>(1, Accumulators(unit) / RegistersOf(tile.lanes, unit));
  tile.blocks = LargestDivisor(contraction.group, std::min(blocks, most));
  tile.vectors = LargestDivisor(contraction.width() / tile.lanes, most / tile.blocks);
  // Short rows leave accumulators free, unless more rows of weights evict one another.
  constexpr int64_t kWays = 8, kFloat = 4;
  const int64_t more = LargestDivisor(contraction.group, most / tile.vectors);
  if (more > tile.blocks && RowsPerSet(more, contraction.reduction * kFloat) <= kWays)
    tile.blocks = more;
  return tile;
}

}  // namespace

// Packed weights make lanes over channels the better rule nearly everywhere: rows only where the
// channels of a group do not fill half a vector, or where so little is reduced that the other
// rule's transposing store costs more than its products. With unpacked weights (a mutant that
// computes them) each lane over channels is a strided load: then rows wherever they fill more than
// half of a vector.
bool PreferRows(const Contraction& contraction, const VectorUnit& unit) {
  const int64_t lanes = RowLanes(contraction.width(), unit, Lifetime::kLoop);
  if (contraction.weight_parameter < 0)
    return !contraction.weight_contiguous && LaneUse(lanes, unit) > 0.5;
  if (!contraction.has_rows()) return false;
  int64_t channel_lanes = unit.lanes;
  while (contraction.group % channel_lanes != 0) channel_lanes /= 2;
  if (2 * channel_lanes < unit.lanes) return true;
  constexpr int64_t kFewReduced = 48;
  return !contraction.strided && contraction.reduction <= kFewReduced &&
         contraction.width() % unit.lanes == 0;
}

std::optional<Packing> ScheduleContractRows(Schedule& schedule, const Anatomy& anatomy,
                                            const Contraction& contraction,
                                            const VectorUnit& unit) {
  if (!contraction.has_rows()) GiveUp("no rows");
  const Node& anchor = anatomy.reductions[0];
  const size_t channel = contraction.channel, rank = contraction.extents.size(), x = rank - 1;
  const RowTile tile = ChooseTile(contraction, unit);

  const std::optional<Packing> packing = PackWeight(schedule, anchor, contraction, tile.blocks);
  const Epilogue epilogue = EpilogueOf(schedule, anchor);
  schedule.SetScope(anchor, "local");
  const std::vector<Node>& loops = epilogue.loops;
  const std::vector<Node> c =
      schedule.Split(loops[channel], {contraction.group / tile.blocks, tile.blocks});
  const std::vector<Node> row = schedule.Split(loops[x], {tile.vectors, tile.lanes});
  std::vector<Node> order(loops.begin(), loops.begin() + static_cast<long>(channel));
  order.insert(order.end(), {c[0], c[1]});
  for (size_t axis = channel + 1; axis < x; ++axis) order.push_back(loops[axis]);
  order.push_back(row[0]);
  const size_t depth = order.size();
  order.insert(order.end(), {c[2], row[1], row[2]});
  schedule.Reorder(order);
  schedule.ComputeAt(anchor, order[depth - 1]);

  const std::vector<Node> all = schedule.Loops(anchor);
  if (all.size() != depth + rank + contraction.reduce_axes)
    GiveUp("unexpected loops of the anchor");
  const std::vector<Node> pieces = schedule.Split(all[depth + x], {tile.lanes});
  std::vector<Node> inner(all.begin() + static_cast<long>(depth + rank), all.end());
  const Node first_reduction = inner[0];
  std::vector<Node> unrolled;
  for (size_t axis = 0; axis < x; ++axis)
    if (axis != channel) unrolled.push_back(all[depth + axis]);
  unrolled.push_back(all[depth + channel]);
  unrolled.push_back(pieces[0]);
  inner.insert(inner.end(), unrolled.begin(), unrolled.end());
  inner.push_back(pieces[1]);
  schedule.Reorder(inner);
  schedule.Vectorize(pieces[1]);
  for (const Node& loop : unrolled) schedule.Unroll(loop);
  const Node init = schedule.DecomposeReduction(anchor, first_reduction);
  const std::vector<Node> init_loops = schedule.Loops(init);
  schedule.Vectorize(init_loops.back());
  for (size_t i = depth; i + 1 < init_loops.size(); ++i) schedule.Unroll(init_loops[i]);
  schedule.Vectorize(row[2]);
  SchedulePads(schedule, anatomy.before);
  return packing;
}

}  // namespace mutatenn
