// What the operators on pass lists share: which passes a parameter names, and how one is called.
#pragma once

#include <string>
#include <vector>

#include "mutation/operator.h"

namespace mutatenn {

// "passes": all of them where nothing else is said. `done` completes "Passes to ...".
ParameterSpec PassesParameter(const std::string& done);
bool NamesPass(const Json& parameters, const LoweringPass& pass);
// The pass's name, with its number among its equals from the second on ("...StmtSimplify #2").
std::string NumberedPass(const std::vector<LoweringPass>& passes, size_t index);

}  // namespace mutatenn
