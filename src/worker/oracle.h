// The slow way to the same fates, to hold the fast one against: every step of every image in a
// fresh process, nothing taken from the original's values, no guards. Shares with the fast executor
// only the loading of kernels and the fixed layout of guarded steps.
#pragma once

#include <string>
#include <vector>

#include "device/session.h"
#include "worker/original.h"
#include "worker/plan.h"
#include "worker/progress.h"

namespace mutatenn {

// What one process found: a hash of every value (by index) and the network's outputs.
struct OracleResult {
  std::vector<uint64_t> hashes;
  std::vector<std::vector<float>> outputs;
};

int64_t OracleExtraBytes(const TypedProgram& typed);
OracleResult OracleResultFrom(const std::vector<char>& extra, const TypedProgram& typed);

// The whole life of a child: one image through the plan's program. `original_seconds` of the image.
[[noreturn]] void RunOracle(const Original& original, const MutantPlan& plan, const Limits& limits,
                            double original_seconds, const std::string& image_file, int position,
                            SharedRegion& region);

// Fills what compares the two: infected, dirty steps, first divergence, differences of the outputs.
void CompareWithOriginal(const OracleResult& mutant, const OracleResult& original,
                         const MutantPlan& plan, Record* record);

}  // namespace mutatenn
