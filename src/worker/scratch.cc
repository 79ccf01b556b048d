// Steps in order: a value takes the smallest free piece that holds it, else new memory at the end;
// behind its last reader its piece is free again.
#include "worker/scratch.h"

#include <map>

namespace mutatenn {
namespace {

class Pieces {
 public:
  int64_t Take(int64_t size) {
    auto best = free_.end();
    for (auto piece = free_.begin(); piece != free_.end(); ++piece)
      if (piece->second >= size && (best == free_.end() || piece->second < best->second))
        best = piece;
    if (best == free_.end()) {
      // The last piece may grow.
      int64_t start = end_;
      if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == end_) {
        start = free_.rbegin()->first;
        free_.erase(start);
      }
      end_ = start + size;
      return start;
    }
    const auto [start, bytes] = *best;
    free_.erase(best);
    if (bytes > size) free_[start + size] = bytes - size;
    return start;
  }
  void Give(int64_t start, int64_t size) {
    if (size == 0) return;
    auto next = free_.emplace(start, size).first;
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == start) {
        before->second += size;
        free_.erase(next);
        next = before;
      }
    }
    auto after = std::next(next);
    if (after != free_.end() && next->first + next->second == after->first) {
      next->second += after->second;
      free_.erase(after);
    }
  }
  int64_t end() const { return end_; }

 private:
  std::map<int64_t, int64_t> free_;  // start -> bytes; no two touch
  int64_t end_ = 0;
};

}  // namespace

std::vector<int> ImageSteps(const Program& program) {
  std::vector<int> steps;
  for (size_t s = 0; s < program.steps.size(); ++s)
    if (!program.steps[s].weight_only) steps.push_back(static_cast<int>(s));
  return steps;
}

Scratch PlanScratch(const TypedProgram& typed, const std::vector<bool>& elsewhere) {
  const Program& program = typed.program;
  const std::vector<int> steps = ImageSteps(program);
  std::vector<int> last(program.values.size(), -1);  // position among the image steps
  for (size_t at = 0; at < steps.size(); ++at) {
    const Step& step = program.steps[static_cast<size_t>(steps[at])];
    for (int value : step.outputs) last[static_cast<size_t>(value)] = static_cast<int>(at);
    for (int value : step.inputs) last[static_cast<size_t>(value)] = static_cast<int>(at);
  }
  for (int value : program.outputs)
    last[static_cast<size_t>(value)] = static_cast<int>(steps.size());

  Scratch scratch;
  scratch.offsets.assign(program.values.size(), -1);
  Pieces pieces;
  auto size = [&](int value) { return Aligned(typed.Bytes(value)); };
  std::vector<std::vector<int>> ends(steps.size() + 1);  // values by their last reader
  for (size_t at = 0; at < steps.size(); ++at) {
    for (int value : program.steps[static_cast<size_t>(steps[at])].outputs) {
      const size_t v = static_cast<size_t>(value);
      if (elsewhere[v]) continue;
      scratch.offsets[v] = pieces.Take(size(value));
      ends[static_cast<size_t>(last[v])].push_back(value);
    }
    for (int value : ends[at])
      pieces.Give(scratch.offsets[static_cast<size_t>(value)], size(value));
  }
  scratch.bytes = pieces.end();
  return scratch;
}

}  // namespace mutatenn
