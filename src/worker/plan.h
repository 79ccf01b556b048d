// What of a mutant differs from the original, found once before its first process: which value
// corresponds to which, which steps are changed, where nothing changed lies ahead any more.
#pragma once

#include <vector>

#include "worker/original.h"

namespace mutatenn {

struct MutantPlan {
  TypedProgram typed;            // the whole mutant
  std::vector<int> original_of;  // by value: the original's of the same name and type, or -1
  std::vector<bool> changed;     // by step: no original step has its names and its code
  std::vector<bool> guarded;     // by step
  std::vector<int> last_reader;  // by value: step, -1; the number of steps for network outputs
  int last_changed = -1;         // image step

  const Program& program() const { return typed.program; }
};

// kInvalidInput: the mutant has another input or another number of outputs than the original.
Result<MutantPlan> MakePlan(const Original& original, const MutantProgram& mutant);

}  // namespace mutatenn
