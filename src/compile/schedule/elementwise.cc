// Rule E: one block without reduction (element-wise, concatenate, reshape, transpose) -> its
// innermost loop vectorised. For images height and width are one loop: what is broadcast over them
// stays scalar.
#include <algorithm>

#include "compile/schedule/rules.h"

namespace mutatenn {

void ScheduleElementwise(Schedule& schedule, const Node& output, const VectorUnit& unit) {
  std::vector<Node> loops = schedule.Loops(output);
  if (loops.empty()) return;
  const size_t rank = ShapeOf(schedule.Get(output)["writes"].At(0)["source"]).size();
  if (loops.size() != rank) GiveUp("the loops are not the axes of the output");
  constexpr size_t kImageRank = 4;
  Node row = loops.back();
  if (loops.size() >= kImageRank) row = schedule.Fuse({loops[loops.size() - 2], loops.back()});
  if (schedule.Extent(row) == 1) {
    loops = schedule.Loops(output);
    row = loops.size() > 1 ? schedule.Fuse(loops) : loops[0];
  }
  // Four registers at once hide the latency of loads; more only costs build time.
  const int64_t lanes = LargestDivisor(schedule.Extent(row), 4 * unit.lanes);
  if (lanes > 1) schedule.Vectorize(schedule.Split(row, {lanes})[1]);
}

}  // namespace mutatenn
