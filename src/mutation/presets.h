// Presets: names that stand for several uses of operators. An operator declares its own part
// (MutationOperator::presets); categories, levels and "all" follow from the registry; "paper" is
// the original tool's list (tool_mutations.h). Adding an operator edits nothing here.
#pragma once

#include <string>
#include <vector>

#include "mutation/mutant.h"

namespace mutatenn {

// "default", "paper", "all", those that operators declare, the levels, the categories.
const std::vector<std::string>& PresetNames();
// Empty where there is no such preset. Parameters are not checked yet. Uses of "paper" may name an
// operator that this program lacks.
std::vector<OperatorUse> UsesOfPreset(const std::string& name);

}  // namespace mutatenn
