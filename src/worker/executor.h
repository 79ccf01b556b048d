// The one algorithm that runs every kind of mutant: walk its steps in order, run those that are
// changed or read something dirty, compare what they write with the original's values byte by byte,
// stop when nothing dirty is left to read and nothing changed lies ahead. Lives in a child.
#pragma once

#include <memory>
#include <vector>

#include "device/session.h"
#include "worker/guards.h"
#include "worker/isolation.h"
#include "worker/original.h"
#include "worker/plain_memory.h"
#include "worker/plan.h"
#include "worker/references.h"
#include "worker/sabotage.h"
#include "worker/scratch.h"

namespace mutatenn {

// CPU seconds a mutant may use where the original took `original_seconds`.
double CpuLimit(const Limits& limits, double original_seconds);
// The step that makes the first network output, -1 when none does.
int LastWriter(const Program& program);

// Kernels of a mutant, loaded in its child; the original's where the code is the same.
class MutantKernels {
 public:
  // Ends the child as kToolError when a library cannot be loaded.
  void Load(const Original& original, const MutantPlan& plan);
  const KernelFunction& For(const std::string& key) const { return kernels_.at(key); }

 private:
  std::map<std::string, KernelFunction> kernels_;
};

struct ChildTask {
  std::vector<int> images;  // indices into the references, all of the job
  int next = 0;             // position to begin with
  bool guards = false;      // look for accesses outside; else only plain memory
  bool inside = false;      // there are none on any image: memory does not matter
  bool stop_at_kill = true;
  bool full_timing = false;
};

class Executor {
 public:
  Executor(const Original& original, const References& references, const MutantPlan& plan,
           const Limits& limits, const ChildTask& task)
      : original_(original), references_(references), plan_(plan), limits_(limits), task_(task) {}

  // The whole life of a child: set-up, weight-only steps, images, end.
  [[noreturn]] void Run(SharedRegion& region);

 private:
  void Setup();
  void RunWeightSteps();
  void RunImage();
  void Finish(SharedRegion& region, int position);
  bool Due(int s) const;  // the step has to run
  void RunStep(int s);    // and compares what it wrote
  void CountDivergence(int s);
  void CallPlain(int s, const KernelFunction& kernel, const std::vector<const void*>& inputs,
                 const std::vector<bool>& constant);
  void RunGuarded(int s, const KernelFunction& kernel, const std::vector<void*>& arguments);
  void CallKernel(int s, const KernelFunction& kernel, const std::vector<void*>& arguments);
  void CountKernel(int64_t start_ns);
  void TimeWholeProgram();
  void* Own(int value);            // where the mutant's value is written
  const void* Pointer(int value);  // of the mutant
  bool IsConstant(int value) const;
  const void* OriginalValue(int value);  // kept, or made again
  void MakeAgain(int step);              // of the original
  [[noreturn]] void KernelFailed(int s, const Status& status);

  const Original& original_;
  const References& references_;
  const MutantPlan& plan_;
  const Limits& limits_;
  const ChildTask& task_;
  const Sabotage sabotage_ = ActiveSabotage();

  MutantKernels kernels_;
  WeightFiles weights_{std::filesystem::path()};
  Guards guards_;
  PlainMemory plain_;
  CpuBudget budget_, guard_budget_;
  int image_ = -1;                     // index into the references; -1 = weight-only steps
  std::vector<const void*> constant_;  // by the mutant's value: its dirty weights
  std::vector<bool> constant_dirty_;   // by value: from weights and weight-only steps
  std::vector<bool> dirty_;            // by value
  std::vector<bool> inside_;  // by step: guarded, and known to touch nothing outside on any image
  BufferPool own_, again_;    // the mutant's values; the original's made again
  Scratch scratch_;           // where in one buffer of own_ an image's values lie
  std::vector<bool> made_again_;  // by the original's value, for this image
  Record record_;
  double steps_ = 0, steps_run_ = 0;  // of this image; weight-only ones left out
  ChildFigures* figures_ = nullptr;   // in the shared pages
};

}  // namespace mutatenn
