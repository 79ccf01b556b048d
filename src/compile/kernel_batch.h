// Kernels into machine code through the cache, many in one LLVM module and one library: a module
// takes LLVM 16 ms whatever is in it, a library the linker 5.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compile/cache.h"
#include "compile/schedule/schedule.h"
#include "compile/target.h"
#include "program/program.h"

namespace mutatenn {

// A kernel of the original or of a graph mutant, before any target is chosen.
struct KernelSource {
  std::string key;
  std::string role;
  std::vector<std::string> layers;
  std::vector<int> constant_parameters;  // indices of inputs that are weights at this call
  Node function;                         // level 2: as fused; level 3: normalised
  bool weight_only = false;              // at every call
};

// What a mutated kernel is compared with. Where the two are equal the mutant is equivalent, and
// what TVM refuses is stillborn instead of an error.
struct OriginalKernel {
  Node scheduled;
  std::string lowered;  // hash of the lowered function
  std::string code;     // hash of its machine code
};

// What became of one kernel.
struct BuiltCode {
  CachedLibrary entry;
  std::optional<Error> error;  // of Emit: TVM refuses the kernel
  // For state "ok"; `source` is the one it was made from, libraries lie in `kernels/`.
  Kernel KernelOf(const KernelSource& source) const;
};

class KernelBatch {
 public:
  // `root`: the campaign's folder. `toolchain`: versions and passes, part of every cache key.
  KernelBatch(const Cache& cache, const std::string& root, std::string toolchain)
      : cache_(cache), folder_(root + "/kernels"), toolchain_(std::move(toolchain)) {}

  struct Added {
    std::shared_ptr<const BuiltCode> code;
    bool cached = false;  // nothing is compiled for this request
  };
  // Schedules and lowers at once, so that packing and equivalence by the lowered function are
  // known; machine code waits for Emit. `mutation` enters the key, "" = none. The same kernel twice
  // is compiled once. `original`: null for what is no mutated kernel. `lowered`: what stands for
  // the scheduled function's lowered form, where that is what is mutated.
  Result<Added> Add(const KernelSource& source, const std::string& mutation, const Target& target,
                    const std::function<Result<Scheduled>()>& scheduled,
                    const OriginalKernel* original = nullptr, const Node& lowered = {});
  // Machine code and libraries of all that was added. Fails where the disk does.
  Status Emit();

  double link_s() const { return link_s_; }

 private:
  struct Open {
    std::string key;
    std::shared_ptr<BuiltCode> code;
    Node lowered, target;
    bool mutated = false;
    std::string original_code;
  };
  // The entry of a kernel that only machine code is missing to, or what settles it without. Lowers
  // unless that is done.
  Result<CachedLibrary> LowerOne(const Target& target, const Result<Scheduled>& scheduled,
                                 const OriginalKernel* original, Node* lowered) const;
  Status EmitTogether(const std::vector<Open*>& kernels);
  Status EmitForDevice(const Open& kernel);
  Status Refused(const Open& kernel, const Error& error);

  const Cache& cache_;
  std::string folder_, toolchain_;
  std::map<std::string, std::shared_ptr<BuiltCode>> known_;  // by key
  std::vector<Open> open_;
  double link_s_ = 0;
};

}  // namespace mutatenn
