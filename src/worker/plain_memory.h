// Memory with a fixed layout for the steps whose kernels are mutated: what such a kernel reads
// outside its buffers, and what becomes of what it writes there, is the same in every process. The
// results of guarded steps come from here alone, in the fast executor and in the slow oracle.
#pragma once

#include <vector>

#include "worker/arena.h"
#include "worker/tensors.h"

namespace mutatenn {

// Address space, low to high: unmapped | 1 MiB of zeros | the step's inputs and outputs in
// parameter order, each at a multiple of 64, gaps zero | workspace | 1 MiB of zeros | unmapped.
// Outputs and workspace are zero before each call. One object a process at a time.
class PlainMemory {
 public:
  PlainMemory() = default;
  PlainMemory(const PlainMemory&) = delete;
  ~PlainMemory();

  // Room for the largest of the steps; before the process's memory is limited. kIo: no room.
  Status Reserve(const TypedProgram& typed, const std::vector<bool>& guarded);
  // Copies the inputs in and empties the rest; then calls the kernel. The outputs stay valid until
  // the next Fill. `inputs` in parameter order. `constant`, by input, empty = none: those that need
  // no copy when the last call was for this step and with the same pointer; only right where it is
  // known that no call so far wrote outside its outputs.
  Status Fill(const TypedProgram& typed, const Step& step, const std::vector<const void*>& inputs,
              const std::vector<bool>& constant = {});
  Status Call(const TypedProgram& typed, const Step& step, const KernelFunction& kernel);
  const void* Output(size_t index) const { return arguments_[inputs_.size() + index]; }

  void* AllocateWorkspace(int64_t bytes);
  void FreeWorkspace();

 private:
  Status Open(int64_t end);  // makes [data, end + slack) usable and nothing beyond

  Mapping space_;
  char* data_ = nullptr;        // first byte after the lower slack
  int64_t open_ = 0;            // usable bytes from data_ on, slack included
  int64_t workspace_ = 0;       // where it starts
  int64_t workspace_top_ = 0;   // where the next piece goes
  int workspaces_ = 0;          // live pieces
  const Step* step_ = nullptr;  // of the last Fill, with its inputs
  std::vector<const void*> inputs_;
  std::vector<void*> arguments_;
};

}  // namespace mutatenn
