// What all schedule rules ask of a function: which block reduces, what comes before and after it,
// and small arithmetic on tile sizes. Everything that returns no Result throws, for use inside
// Guard.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/schedule/schedule.h"
#include "tvm/node.h"
#include "tvm/schedule.h"

namespace mutatenn {

// The blocks of a function by their part in it; handles into one Schedule, in program order.
struct Anatomy {
  std::vector<Node> before;      // of the anchor
  std::vector<Node> reductions;  // the anchor is the only one, or there is none
  std::vector<Node> after;       // of the anchor; all blocks where there is no anchor
  Node output;                   // the one output block; gives up where there are several
};
Anatomy Dissect(const Schedule& schedule);

// The iterators of a block: positions of the spatial and the reduce ones, and all extents.
struct Iterators {
  std::vector<Node> variables;
  std::vector<int64_t> extents;
  std::vector<size_t> spatial;
  std::vector<size_t> reduce;
};
Iterators IteratorsOf(const Node& block);

std::vector<int64_t> ShapeOf(const Node& buffer);
bool Uses(const Node& expression, const Node& variable);
// The loads of a buffer in a statement or expression.
std::vector<Node> LoadsOf(const Node& root, const Node& buffer);

// The block that consumes the anchor element by element (made by CacheWrite where there is none)
// and its loops: one per spatial axis of the anchor, in order. Gives up on any other shape of
// consumer.
struct Epilogue {
  Node block;
  std::vector<Node> loops;
};
Epilogue EpilogueOf(Schedule& schedule, const Node& anchor);

std::vector<int64_t> Divisors(int64_t n);
int64_t LargestDivisor(int64_t n, int64_t at_most);
// Lanes for a row of n elements: the divisor that wastes least of the vectors it lies in, at most
// 16 (more makes LLVM slow, and an odd number slow code). A vector that lives across the iterations
// of a loop must be whole registers, or less than one: LLVM breaks any other into scalars there.
enum class Lifetime { kLoop, kStraight };
int64_t RowLanes(int64_t n, const VectorUnit& unit, Lifetime lifetime);
// The part of a vector, or of several, that `lanes` values fill.
double LaneUse(int64_t lanes, const VectorUnit& unit);
// Vector registers that `lanes` values take (LLVM rounds lanes up to a power of two).
int64_t RegistersOf(int64_t lanes, const VectorUnit& unit);
// Accumulators that may be live: LLVM unrolls the reduction and needs the other half itself.
inline int64_t Accumulators(const VectorUnit& unit) { return unit.registers / 2; }

// A real pad stays a stage of its own, row by row.
void SchedulePads(Schedule& schedule, const std::vector<Node>& pads);

}  // namespace mutatenn
