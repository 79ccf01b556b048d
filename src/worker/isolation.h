// A mutant's process: forked from the single-threaded worker, cut off from its sockets, limited in
// memory, CPU time and output, and ended only by _exit.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.h"
#include "worker/progress.h"

namespace mutatenn {

// The worker's view of a child. Destroying it kills the child's process group and reaps.
class Child {
 public:
  Child() = default;
  Child(Child&& other) noexcept { *this = std::move(other); }
  Child& operator=(Child&& other) noexcept;
  ~Child();

  bool running() const { return pid_ > 0; }
  int pidfd() const { return pidfd_; }
  void Kill();  // the process group
  void Wait();  // until it has ended
  // Kills what is left of the group and reaps: wait's status.
  int Reap();
  double forked_at() const { return forked_at_; }  // monotonic seconds, before the fork
  // What it printed, up to the limit; after Reap.
  std::string Output();

 private:
  friend Result<Child> ForkChild(SharedRegion&, int, const std::function<void()>&);
  double forked_at_ = 0;
  pid_t pid_ = -1, owner_ = -1;
  int pidfd_ = -1, pipe_ = -1, output_bytes_ = 0;
};

// Runs `body` in a child; `body` ends it with EndChild. kUnavailable when there is no process or
// memory for one. A bug when the worker has more than one thread.
Result<Child> ForkChild(SharedRegion& region, int output_bytes, const std::function<void()>& body);

// In the child.
void LimitMemory(int64_t bytes);  // address space beyond what is in use now
[[noreturn]] void EndChild(Outcome outcome, const std::string& text = {});
[[noreturn]] void EndOutOfMemory();
Progress& ChildProgress();

// CPU time of the mutant's own steps on one image: SIGPROF ends the child when it is used up. Work
// of ours between the steps (references made again, copies, comparisons) does not count, so that no
// verdict depends on the memory budget.
class CpuBudget {
 public:
  void Reset(double seconds);
  void Start();
  void Stop();

 private:
  int64_t left_us_ = 0, started_us_ = 0;
};

int ThreadCount();                   // of this process
std::string SignalName(int signal);  // "SIGSEGV"

}  // namespace mutatenn
