// Where the values of one image lie while the original runs: what no later step reads makes room
// for what comes after, so that a network works in memory that the caches still hold.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/original.h"

namespace mutatenn {

struct Scratch {
  std::vector<int64_t> offsets;  // by value, a multiple of kAlignment; -1 = lies elsewhere
  int64_t bytes = 0;             // of all
};

// `elsewhere`, by value: has a place of its own. Constants and the network's inputs always have.
Scratch PlanScratch(const Original& original, const std::vector<bool>& elsewhere);

}  // namespace mutatenn
