// One mutant on its way through the worker, and what the end of one of its processes means.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "device/session.h"
#include "worker/executor.h"
#include "worker/isolation.h"
#include "worker/plan.h"
#include "worker/progress.h"

namespace mutatenn {

struct Task {
  MutantJob job;
  MutantPlan plan;
  ChildTask child_task;  // its images, where to begin, guards
  MutantDone done;
  int suspect = -1;    // position of a crash or timeout that has to be repeated alone
  bool alone = false;  // no other child may run beside it
  int failures = 0;    // of ours, in a row
  bool shot = false;   // by us, over its wall time
  SharedRegion region;
  Child child;
};

// The end of a process that did not finish by itself.
struct Death {
  enum class Kind { kCrash, kTimeout, kOurs } kind = Kind::kCrash;
  int position = 0;  // of the image in the job
  bool before_images = false;
  std::string detail;  // one line
};

// nullopt: it finished or found an access outside (`region` says which).
std::optional<Death> DeathOf(const Task& task, int wait_status, const std::string& output,
                             const Limits& limits);
// Seconds of wall time that the process may still spend where it is now.
double WallLeft(const Task& task, const Original& original, const References& references,
                const Limits& limits);

Fate FateFrom(const Task& task, const Record& record, const std::vector<Ranked>& top);
std::string StepName(const Task& task, int step);
OutOfBounds AccessOf(const Task& task);

}  // namespace mutatenn
