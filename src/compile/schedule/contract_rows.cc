// Rule Cx: a contraction -> vectors along the image row; each weight is loaded once and broadcast
// to them, `blocks` of them side by side (packed so where they are constant).
#include <algorithm>
#include <bit>
#include <limits>
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

// Whether the row is cut into whole vectors of which the last two overlap (OverlapPieces).
bool Overlaps(const Contraction& contraction, const VectorUnit& unit) {
  const int64_t width = contraction.width();
  const int64_t whole = (width + unit.lanes - 1) / unit.lanes * unit.lanes;
  constexpr double kWorthIt = 1.2;
  return contraction.strided && width > unit.lanes && contraction.weight_parameter >= 0 &&
         static_cast<double>(width) / static_cast<double>(whole) >
             kWorthIt * LaneUse(RowLanes(width, unit, Lifetime::kLoop), unit);
}

// A load of data serves `blocks` products, a broadcast weight `vectors` of them. Packed weights lie
// side by side, so the loads of data decide: two loads a cycle beside two products, and an image
// that comes from L2 again for every block of channels.
RowTile ChoosePackedTile(const Contraction& contraction, const VectorUnit& unit) {
  constexpr double kLatency = 8, kPiecesOfPartialVector = 5, kDataBytes = 4;
  RowTile tile;
  if (Overlaps(contraction, unit)) {
    // One piece at a time: two that overlap may not be summed side by side.
    tile.lanes = unit.lanes;
    tile.blocks = LargestDivisor(contraction.group, Accumulators(unit));
    return tile;
  }
  tile.lanes = RowLanes(contraction.width(), unit, Lifetime::kLoop);
  const bool whole = tile.lanes % unit.lanes == 0 || std::has_single_bit<uint64_t>(tile.lanes);
  // Nothing but the accumulators, a vector of data and what LLVM loads ahead lives in registers.
  const int64_t most = Accumulators(unit) + Accumulators(unit) / 4;
  // A row of one piece is copied and made whole.
  const double pieces = whole || tile.lanes == contraction.width() ? 1 : kPiecesOfPartialVector;
  double least = std::numeric_limits<double>::infinity();
  for (int64_t vectors : Divisors(contraction.width() / tile.lanes)) {
    for (int64_t blocks : Divisors(contraction.group)) {
      const int64_t products = vectors * blocks;
      if (products * RegistersOf(tile.lanes, unit) > most) continue;
      const auto data = static_cast<double>(vectors);
      const double loads = data * pieces + static_cast<double>(blocks);
      const double cost =
          std::max({static_cast<double>(products), loads, kLatency, data * kDataBytes}) /
          static_cast<double>(products);
      if (cost >= least) continue;
      least = cost;
      tile.vectors = vectors;
      tile.blocks = blocks;
    }
  }
  return tile;
}

RowTile ChooseTile(const Contraction& contraction, const VectorUnit& unit) {
  if (contraction.weight_parameter >= 0) return ChoosePackedTile(contraction, unit);
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

// Which rule, measured over the shapes of the eight networks of the benchmark (AVX-512, GFLOP/s of
// 240):
// - Unpacked weights (a mutant computes them): a lane over channels is a strided load, so rows
//   wherever they fill some of a vector.
// - Packed: lanes over channels, 180 - 240, against 85 - 210. But with channels that fill half a
//   vector (144 -> 40) 100 against 205, and with little to reduce (16 -> 96) the transposing store
//   costs more than the products: 107 against 200. Rows with a stride are one load a lane: 40 -
//   120.
bool PreferRows(const Contraction& contraction, const VectorUnit& unit) {
  constexpr double kSomeOfAVector = 0.4, kMostOfAVector = 0.65, kSpeedOfRows = 0.75;
  constexpr int64_t kFewReduced = 40;
  const double use = LaneUse(RowLanes(contraction.width(), unit, Lifetime::kLoop), unit);
  if (contraction.weight_parameter < 0)
    return !contraction.weight_contiguous && use > kSomeOfAVector;
  if (!contraction.has_rows()) return false;
  int64_t channel_lanes = unit.lanes;
  while (WholeChannels(contraction, unit) % channel_lanes != 0) channel_lanes /= 2;
  const double channel_use = LaneUse(channel_lanes, unit);
  if (channel_use < 0.5) return true;
  if (contraction.strided)  // columns are sorted by a copy
    return contraction.reduction <= kFewReduced && contraction.has_columns() &&
           (use > kMostOfAVector || Overlaps(contraction, unit));
  if (contraction.reduction <= kFewReduced && use > kMostOfAVector) return true;
  return kSpeedOfRows * use > channel_use;
}

std::optional<Packing> ScheduleContractRows(Schedule& schedule, const Anatomy& anatomy,
                                            const Contraction& contraction,
                                            const VectorUnit& unit) {
  if (!contraction.has_rows()) GiveUp("no rows");
  const Node& anchor = anatomy.reductions[0];
  const size_t channel = contraction.channel, rank = contraction.extents.size(), x = rank - 1;
  const RowTile tile = ChooseTile(contraction, unit);
  std::vector<Node> pads = anatomy.before;
  const bool partial = !std::has_single_bit(static_cast<uint64_t>(tile.lanes));
  const bool one_piece = tile.lanes == contraction.width();
  if (pads.empty() && ((partial && one_piece) || contraction.strided) &&
      schedule.Get(anchor)["reads"].size() == 2)
    pads = {schedule.CacheRead(anchor, 1 - contraction.read_of_weight)};  // for WidenRows

  std::optional<Packing> packing = PackWeight(schedule, anchor, contraction, tile.blocks);
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
  SchedulePads(schedule, pads);
  return packing;
}

}  // namespace mutatenn
