// The original tool's mutations (luludak/MutateNN, config.json) in our words: the one place that
// maps its types and names to our operators, for the preset "paper" and `mutatenn convert-config`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "mutation/mutant.h"

namespace mutatenn {

struct ConvertedMutation {
  OperatorUse use;   // without positions
  std::string note;  // where the tool does something else than its paper says: what we do; else ""
};
// One entry of its lists "relay" or "tir". kUnsupported: nothing of ours stands for it, and why;
// kInvalidInput: not an entry of that tool.
Result<ConvertedMutation> ConvertToolMutation(const Json& entry);
// The 22 entries of its list "mutations_all", by level ("relay", "tir").
const Json& ToolMutations();
// They as uses: each at all its points at once, as the paper did.
std::vector<OperatorUse> PaperUses();

}  // namespace mutatenn
