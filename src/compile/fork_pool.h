// Work in forked children, a batch each, results as they come: what crashes or hangs one item loses
// that item only. For a single-threaded process that holds much state read-only (the compile
// server).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct ForkPoolOptions {
  int jobs = 1;                      // read before each start: `done` may change it
  int batch = 8;                     // items per child at most
  double limit_s = 30;               // per item
  int64_t memory_bytes = 8LL << 30;  // address space of a child
};

// Runs `work(i)` in a child for every item, `done(i, result)` here. An item whose child died or
// passed the limit is run once more alone; if that dies too, `lost(i, why)`.
Status RunInChildren(const std::vector<int>& items, const ForkPoolOptions& options,
                     const std::function<Json(int)>& work,
                     const std::function<Status(int, const Json&)>& done,
                     const std::function<Status(int, const std::string&)>& lost);

}  // namespace mutatenn
