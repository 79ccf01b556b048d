// Rule C: a contraction -> a register tile of `pixels` x `rows` x `blocks` vectors of output
// channels, held in a local accumulator laid out with the lanes innermost, computed under the
// epilogue's tile. The weight is packed in the tile's blocks of channels.
#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "compile/schedule/rules.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

struct RegisterTile {
  int64_t lanes = 1;   // channels in a vector
  int64_t blocks = 1;  // such vectors
  int64_t pixels = 1;  // along the row
  int64_t rows = 1;
};

// Cost of one tile per reduced element, in products that the core could issue: the products, their
// latency, the loads of weights. Weights of a tile stay in L1 when they are few, else they come
// from L2 for every tile.
double Cycles(int64_t pixels, int64_t blocks, int64_t block_bytes) {
  constexpr double kLatency = 8, kFromL1 = 1, kFromL2 = 4.5;
  constexpr int64_t kWhatStaysInL1 = 20 << 10;
  const double load = blocks * block_bytes <= kWhatStaysInL1 ? kFromL1 : kFromL2;
  return std::max(
             {static_cast<double>(pixels * blocks), kLatency, load * static_cast<double>(blocks)}) +
         1;
}

RegisterTile ChooseTile(const Contraction& contraction, const VectorUnit& unit) {
  RegisterTile best;
  best.lanes = unit.lanes;
  while (contraction.group % best.lanes != 0) best.lanes /= 2;
  const int64_t most = Accumulators(unit) + Accumulators(unit) / 8;
  const int64_t width = contraction.width(), height = contraction.height();
  constexpr int64_t kFloat = 4;
  const int64_t bytes = contraction.reduction * best.lanes * kFloat;  // of a block's weights
  std::optional<std::tuple<double, int64_t>> least;
  for (int64_t blocks : {1, 2, 3, 4, 5, 6, 8}) {
    if (contraction.group % (best.lanes * blocks) != 0) continue;
    for (int64_t pixels = 1; pixels <= std::min(width, most / blocks); ++pixels) {
      const std::vector<int64_t> rows_choices =
          pixels == width ? Divisors(height) : std::vector<int64_t>{1};
      for (int64_t rows : rows_choices) {
        if (pixels * rows * blocks > most) continue;
        double cost = 1.0 / static_cast<double>(blocks);  // no pixels: more chains hide latency
        if (width * height > 1) {
          const int64_t rest = width % pixels;
          const double tail = rest == 0 ? 0 : Cycles(rest, blocks, bytes);
          const int64_t whole_tiles = width / pixels;
          const double full =
              static_cast<double>(whole_tiles) * Cycles(pixels * rows, blocks, bytes);
          constexpr double kTailPenalty = 1.03;
          cost = (full + tail) / static_cast<double>(width * rows * blocks) *
                 (rest == 0 ? 1.0 : kTailPenalty);
        }
        // Equal to a thousandth is equal: then two blocks, so that a load serves two
        // multiplications.
        const std::tuple candidate(std::round(cost * 1000) / 1000, std::abs(blocks - 2));
        if (least && !(candidate < *least)) continue;
        least = candidate;
        best = {best.lanes, blocks, pixels, rows};
      }
    }
  }
  if (!least) GiveUp("no tile fits");
  return best;
}

// Many channels over a small image, which comes from L2 again for each tile of channels: three
// vectors of them and half a row (1000 channels at 13 pixels: 0.73 ms against 0.92).
RegisterTile ReadingLess(const RegisterTile& tile, const Contraction& contraction,
                         const VectorUnit& unit) {
  constexpr int64_t kBlocks = 3;
  const int64_t pixels = (contraction.width() + 1) / 2;
  const bool fits = kBlocks * pixels <= Accumulators(unit) * 4 / 3;
  if (tile.blocks >= kBlocks || tile.rows > 1 || tile.pixels < contraction.width() || !fits ||
      contraction.group % (tile.lanes * kBlocks) != 0)
    return tile;
  return {tile.lanes, kBlocks, pixels, 1};
}

}  // namespace

std::optional<Packing> ScheduleContract(Schedule& schedule, const Anatomy& whole,
                                        const Contraction& given, const VectorUnit& unit) {
  Anatomy anatomy = whole;
  Contraction contraction = given;
  if (const int64_t channels = WholeChannels(given, unit); channels != given.group) {
    if (anatomy.after.empty()) schedule.CacheWrite(anatomy.reductions[0], "local");
    schedule = Schedule(
        PadChannels(schedule.Function(), schedule.Get(anatomy.reductions[0]), given, channels));
    anatomy = Dissect(schedule);
    contraction.extents[contraction.channel] = contraction.group = channels;
  }
  const Node& anchor = anatomy.reductions[0];
  RegisterTile tile = ChooseTile(contraction, unit);
  if (contraction.group != given.group) tile = ReadingLess(tile, contraction, unit);
  const size_t channel = contraction.channel, rank = contraction.extents.size();
  const bool has_rows = contraction.has_rows(), has_columns = contraction.has_columns();

  std::optional<Packing> packing =
      PackWeight(schedule, anchor, contraction, tile.lanes * tile.blocks);
  const Epilogue epilogue = EpilogueOf(schedule, anchor);
  schedule.TransformWrite(anchor, [&](std::vector<Node> index) {
    const Node lanes = IntImm(DTypeOf(index[channel]), tile.lanes);
    index.push_back(Make(prim::kFloorMod, index[channel], lanes));
    index[channel] = Make(prim::kFloorDiv, index[channel], lanes);
    return index;
  });
  schedule.SetScope(anchor, "local");

  // Tile the epilogue: outer loops, then the channels of the tile, then its pixels.
  const std::vector<Node>& loops = epilogue.loops;
  std::vector<Node> order(loops.begin(), loops.begin() + static_cast<long>(channel));
  std::vector<Node> channel_loops;
  if (contraction.group != contraction.channels())
    channel_loops = schedule.Split(
        loops[channel], {contraction.group / (tile.lanes * tile.blocks), tile.blocks, tile.lanes});
  else
    channel_loops = schedule.Split(loops[channel], {tile.blocks, tile.lanes});
  if (contraction.group != given.group) schedule.HintPartition(channel_loops[0]);
  const Node lane_loop = channel_loops.back();
  channel_loops.pop_back();
  const Node block_loop = channel_loops.back();
  channel_loops.pop_back();
  order.insert(order.end(), channel_loops.begin(), channel_loops.end());
  std::vector<Node> pixel_loops;
  if (has_rows) {
    const size_t plain = rank - 1 - (has_columns ? 1 : 0);
    for (size_t axis = channel + 1; axis < plain; ++axis) order.push_back(loops[axis]);
    const std::vector<Node> x = schedule.Split(loops[rank - 1], {tile.pixels});
    if (contraction.width() % tile.pixels != 0) schedule.HintPartition(x[0]);
    if (has_columns) {
      const std::vector<Node> y = schedule.Split(loops[rank - 2], {tile.rows});
      order.push_back(y[0]);
      pixel_loops.push_back(y[1]);
    }
    order.push_back(x[0]);
    pixel_loops.push_back(x[1]);
  }
  const size_t depth = order.size();
  order.push_back(block_loop);
  order.push_back(lane_loop);
  order.insert(order.end(), pixel_loops.begin(), pixel_loops.end());
  schedule.Reorder(order);
  schedule.ComputeAt(anchor, order[depth - 1]);

  // The anchor under it: reduction outside, the tile unrolled, lanes vectorised.
  const std::vector<Node> all = schedule.Loops(anchor);
  if (all.size() != depth + rank + contraction.reduce_axes)
    GiveUp("unexpected loops of the anchor");
  const std::vector<Node> lanes = schedule.Split(all[depth + channel], {tile.lanes});
  std::vector<Node> inner(all.begin() + static_cast<long>(depth + rank), all.end());
  const Node first_reduction = inner[0];
  std::vector<Node> unrolled = {lanes[0]};
  for (size_t axis = 0; axis < rank; ++axis)
    if (axis != channel) unrolled.push_back(all[depth + axis]);
  inner.insert(inner.end(), unrolled.begin(), unrolled.end());
  inner.push_back(lanes[1]);
  schedule.Reorder(inner);
  schedule.Vectorize(lanes[1]);
  for (const Node& loop : unrolled) schedule.Unroll(loop);
  const Node init = schedule.DecomposeReduction(anchor, first_reduction);
  std::vector<Node> init_loops = schedule.Loops(init);
  schedule.Vectorize(init_loops.back());
  for (size_t i = depth; i + 1 < init_loops.size(); ++i) schedule.Unroll(init_loops[i]);

  schedule.Vectorize(tile.pixels > 1 ? pixel_loops.back() : lane_loop);
  SchedulePads(schedule, anatomy.before);
  return packing;
}

}  // namespace mutatenn
