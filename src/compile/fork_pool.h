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
  double limit_s = 30;               // per child
  int64_t memory_bytes = 8LL << 30;  // address space of a child
};

// Runs `work` in children, each item once, `done(i, result)` here; `work` gets a batch and returns
// a result for each of its items. Items whose child died or passed the limit are run once more,
// each alone; what dies alone is `lost(i, why)`.
Status RunInChildren(const std::vector<int>& items, const ForkPoolOptions& options,
                     const std::function<std::vector<Json>(const std::vector<int>&)>& work,
                     const std::function<Status(int, const Json&)>& done,
                     const std::function<Status(int, const std::string&)>& lost);

}  // namespace mutatenn
