// Where the values of one image lie while a program runs: what no later step reads makes room for
// what comes after, so that a network works in memory that the caches still hold.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/arena.h"
#include "worker/tensors.h"

namespace mutatenn {

struct Scratch {
  std::vector<int64_t> offsets;  // by value, a multiple of kAlignment; -1 = lies elsewhere
  int64_t bytes = 0;             // of all
};

// The steps that run for each image, not once at load.
std::vector<int> ImageSteps(const Program& program);
// For the outputs of a program's image steps. `elsewhere`, by value: has a place of its own.
Scratch PlanScratch(const TypedProgram& typed, const std::vector<bool>& elsewhere);

}  // namespace mutatenn
