// TVM targets: from the user's JSON to a resolved one, whose text is canonical and enters cache
// keys.
#pragma once

#include <string>

#include "base/result.h"
#include "tvm/node.h"

namespace mutatenn {

// What LLVM shall not do: schedules have unrolled what is worth it, and what LLVM unrolls or
// rewrites addresses for on top costs a fifth of a kernel's compilation and saves no time running
// (docs/performance.md).
inline constexpr const char* kLlvmOptions[] = {"-unroll-threshold-aggressive:int=0",
                                               "-disable-lsr:bool=true"};

struct Target {
  Node node;              // with host
  Node once;              // its host, LLVM's optimiser off: for kernels that run once, at load
  std::string label;      // for people and ids: the CPU's name and a hash of `canonical`
  std::string canonical;  // JSON; `host` replaced by this CPU's name and features
  std::string kind;       // "llvm", "opencl" or "cuda"
  // A device with threads and a memory of its own, beside a host that launches kernels.
  bool accelerator() const { return kind != "llvm"; }
  // For kernels that run once: the host alone.
  Target ForWeights() const;
};

// `json`: {"kind": "llvm", "mcpu": "host" | name, ...} or a bare kind; of an accelerator "host" may
// hold the CPU beside it, in the same form (else any CPU of this machine's kind). An unknown kind,
// key or CPU name is kInvalidInput with what to say instead.
Result<Target> ResolveTarget(const std::string& json);

}  // namespace mutatenn
