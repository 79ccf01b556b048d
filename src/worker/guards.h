// Finds accesses outside the buffers of a mutated step: the step's inputs, outputs and workspace
// lie between unmapped pages, the bytes that page sizes leave over are filled with NaN. The results
// of such a call are only compared; those that count come from plain memory (plain_memory.h).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "worker/arena.h"
#include "worker/progress.h"
#include "worker/tensors.h"

namespace mutatenn {

// A buffer between unmapped pages. It starts at a multiple of 64 and ends as near to the upper
// unmapped page as that allows.
class GuardedBuffer {
 public:
  static Result<GuardedBuffer> Make(int64_t bytes);

  char* data() const { return start_; }
  int64_t bytes() const { return bytes_; }
  void Fill(uint32_t pattern);        // the buffer
  void FillBefore(uint32_t pattern);  // the bytes between the unmapped pages and the buffer
  void FillAfter(uint32_t pattern);
  // First byte outside that no longer holds the NaN of FillBefore and FillAfter, counted from the
  // buffer's start; false when all do.
  bool Damaged(int64_t* offset) const;
  bool Protect(bool read_only);
  // Bytes from the buffer's start, and how far outside the buffer (0 = in it).
  int64_t Offset(const void* address) const { return static_cast<const char*>(address) - start_; }
  int64_t Distance(const void* address) const;

 private:
  Mapping space_;
  char *low_ = nullptr, *start_ = nullptr, *high_ = nullptr;  // usable: [low, high)
  int64_t bytes_ = 0;
};

class Guards {
 public:
  ~Guards();
  // Slots for a step, shared by all steps of one kernel; installs the fault handlers of this
  // process. Before the process's memory is limited.
  Status Prepare(const TypedProgram& typed, const Step& step);
  // Calls the kernel once on copies of the inputs. Does not come back from an access outside: the
  // process ends as kOutOfBounds. The kernel's own errors do not matter here. `constant`, by input:
  // nobody changes what its pointer points to.
  void Call(const TypedProgram& typed, const Step& step, int step_index,
            const KernelFunction& kernel, const std::vector<const void*>& inputs,
            const std::vector<bool>& constant);
  const void* Output(size_t index) const;
  double run_s() const { return run_s_; }  // in the kernels themselves, so far
  // After outputs differed from those of plain memory: ends the process as kOutOfBounds if they
  // depend on bytes outside a buffer (found by filling one side of one buffer at a time with NaN).
  // Comes back when they do not: the kernel reads its own output or workspace before it wrote it.
  // Searches once a kernel.
  void FindReader(const TypedProgram& typed, const Step& step, const KernelFunction& kernel,
                  const std::vector<const void*>& inputs);

  void* AllocateWorkspace(int64_t bytes);
  void FreeWorkspace(void* piece);
  void HandleFault(int signal, const void* address);

 private:
  struct Slots {
    std::vector<GuardedBuffer> buffers;  // in parameter order
    size_t inputs = 0;
    std::vector<const void*> copied;  // by input: the constant that its buffer holds, or null
  };
  struct Patterns {  // what fills what before a call
    uint32_t content, slack;
    int side = -1;  // 2 * buffer (+ 1 = behind it) that gets NaN in place of `slack`
  };
  void Run(const TypedProgram& typed, const Step& step, const KernelFunction& kernel,
           const std::vector<const void*>& inputs, const Patterns& patterns,
           const std::vector<bool>& constant = {});
  void CheckSlack();
  [[noreturn]] void Report(BufferKind kind, size_t index, int64_t offset);
  [[noreturn]] void ReportBuffer(size_t buffer, int64_t offset);

  std::map<std::string, Slots> slots_;  // by kernel key
  std::set<std::string> searched_;      // kernel keys seen by FindReader
  std::vector<char> signal_stack_;
  Slots* current_ = nullptr;  // whose kernel is running
  int step_index_ = -1;
  double run_s_ = 0;
  bool check_ = false;  // slack holds NaN everywhere
  uint32_t workspace_content_ = 0, workspace_slack_ = 0;
  int workspace_side_ = -1;
  std::vector<std::unique_ptr<GuardedBuffer>> workspaces_;  // live
};

}  // namespace mutatenn
