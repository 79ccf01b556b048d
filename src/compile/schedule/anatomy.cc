// Reads the parts of a function off a Schedule, by structure and by block order.
#include "compile/schedule/anatomy.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {
constexpr int64_t kCommReduce = 2;  // IterVar's iter_type
}  // namespace

Iterators IteratorsOf(const Node& block) {
  Iterators iterators;
  for (const Node& iterator : block["iter_vars"].Items()) {
    const size_t position = iterators.variables.size();
    const bool reduces = iterator["iter_type"].Int() == kCommReduce;
    (reduces ? iterators.reduce : iterators.spatial).push_back(position);
    iterators.variables.push_back(iterator["var"]);
    iterators.extents.push_back(iterator["dom"]["extent"].Int());
  }
  return iterators;
}

Anatomy Dissect(const Schedule& schedule) {
  Anatomy anatomy;
  for (const Node& handle : schedule.Blocks()) {
    const bool reduces = !IteratorsOf(schedule.Get(handle)).reduce.empty();
    if (reduces)
      anatomy.reductions.push_back(handle);
    else
      (anatomy.reductions.empty() ? anatomy.before : anatomy.after).push_back(handle);
  }
  if (anatomy.reductions.empty()) std::swap(anatomy.before, anatomy.after);
  const std::vector<Node> outputs = schedule.OutputBlocks();
  if (outputs.size() != 1) GiveUp(std::to_string(outputs.size()) + " output blocks instead of one");
  anatomy.output = outputs[0];
  return anatomy;
}

std::vector<int64_t> ShapeOf(const Node& buffer) {
  std::vector<int64_t> shape;
  for (const Node& extent : buffer["ty"]["shape"].Items()) shape.push_back(extent.Int());
  return shape;
}

bool Uses(const Node& expression, const Node& variable) {
  bool found = false;
  Walk(expression, [&](const Node& node) { found = found || node.Same(variable); });
  return found;
}

std::vector<Node> LoadsOf(const Node& root, const Node& buffer) {
  std::vector<Node> loads;
  Walk(root, [&](const Node& node) {
    if (node.Is(type::kTensorLoad) && node["source"].Same(buffer)) loads.push_back(node);
  });
  return loads;
}

Epilogue EpilogueOf(Schedule& schedule, const Node& anchor) {
  const Iterators iterators = IteratorsOf(schedule.Get(anchor));
  const std::vector<Node> consumers = schedule.Consumers(anchor);
  if (consumers.size() > 1) GiveUp(std::to_string(consumers.size()) + " consumers of the anchor");
  Epilogue epilogue;
  epilogue.block = consumers.empty() ? schedule.CacheWrite(anchor, "local") : consumers[0];
  epilogue.loops = schedule.Loops(epilogue.block);
  if (epilogue.loops.size() != iterators.spatial.size())
    GiveUp("the epilogue has another rank than the anchor");

  const Node block = schedule.Get(epilogue.block);
  const Iterators own = IteratorsOf(block);
  const Node result = schedule.Get(anchor)["writes"].At(0)["source"];
  const std::vector<Node> loads = LoadsOf(block["body"], result);
  if (loads.empty()) GiveUp("the epilogue does not read the anchor directly");
  for (const Node& load : loads) {
    for (size_t axis = 0; axis < iterators.spatial.size(); ++axis) {
      const int64_t extent = iterators.extents[iterators.spatial[axis]];
      if (own.extents[axis] > extent) GiveUp("the epilogue is larger than the anchor");
      if (extent != 1 && !load["indices"].At(axis).Same(own.variables[axis]))
        GiveUp("the epilogue reads the anchor at another index");
    }
  }
  return epilogue;
}

std::vector<int64_t> Divisors(int64_t n) {
  std::vector<int64_t> divisors;
  for (int64_t d = 1; d <= n; ++d)
    if (n % d == 0) divisors.push_back(d);
  return divisors;
}

int64_t LargestDivisor(int64_t n, int64_t at_most) {
  for (int64_t d = std::min(n, at_most); d > 1; --d)
    if (n % d == 0) return d;
  return 1;
}

int64_t RegistersOf(int64_t lanes, const VectorUnit& unit) {
  const auto rounded = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(lanes)));
  return std::max<int64_t>(1, rounded / unit.lanes);
}

double LaneUse(int64_t lanes, const VectorUnit& unit) {
  const auto room = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(lanes)));
  return static_cast<double>(lanes) / static_cast<double>(std::max<int64_t>(room, unit.lanes));
}

int64_t RowLanes(int64_t n, const VectorUnit& unit, Lifetime lifetime) {
  constexpr int64_t kMost = 16, kWorthHalfVectors = 8;
  // Straight code loads a vector for each product, and LLVM loads a part of a vector in pieces:
  // there half a vector is better than most of one.
  auto use = [&](int64_t d) {
    if (lifetime == Lifetime::kLoop || d < kWorthHalfVectors) return LaneUse(d, unit);
    return static_cast<double>(d) / static_cast<double>(std::bit_ceil(static_cast<uint64_t>(d)));
  };
  auto quality = [&](int64_t d) { return std::tuple(use(d), -RegistersOf(d, unit), d); };
  int64_t best = 1;
  for (int64_t d = 2; d <= std::min(n, kMost); ++d) {
    const bool legal = d <= unit.lanes || d % unit.lanes == 0;
    if (n % d != 0 || (lifetime == Lifetime::kLoop && !legal)) continue;
    if (quality(d) > quality(best)) best = d;
  }
  return best;
}

void SchedulePads(Schedule& schedule, const std::vector<Node>& pads) {
  for (const Node& pad : pads) {
    std::vector<Node> loops = schedule.Loops(pad);
    if (loops.size() < 2) continue;
    schedule.HintPartition(loops.back());
    loops.pop_back();
    schedule.Fuse(loops);
  }
}

}  // namespace mutatenn
