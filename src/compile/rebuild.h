// Kernels of the original with the compiler run in another way, to find out what makes two devices
// disagree. Asked for like a mutant (Generator::Build), and answered by a program of the same
// steps, of which those that call the kernels have other code.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "mutation/mutant.h"

namespace mutatenn {

inline constexpr const char* kRebuild = "rebuild";  // OperatorUse::id of such a mutant

struct Rebuilding {
  std::vector<std::string> kernels;  // keys; empty = all that run for each image
  std::string code = {};             // of kVariants (generator.h); "" = the kernel's own
  Json target = Json::object();      // merged into the target's JSON; null takes a key away
  std::vector<std::string> dropped;  // passes of CpuPasses that are left out
};

// What comes before lowering at level 3, each a pass here: blocks are inlined and given one form,
// then tiled for the target. Without the first there is no second.
inline constexpr const char* kNormalizePass = "mutatenn.Normalize";
inline constexpr const char* kSchedulePass = "mutatenn.Schedule";

Mutant MutantFor(const Rebuilding& how);
// kInternal where it is no such mutant's.
Result<Rebuilding> RebuildingFrom(const Mutant& mutant);

// The passes that make a kernel's code for a CPU, in order, named by NumberedPass.
std::vector<std::string> CpuPasses();

}  // namespace mutatenn
