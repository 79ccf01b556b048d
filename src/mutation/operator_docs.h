// The registry as text: what `mutatenn operators` prints and docs/operators.md holds.
#pragma once

#include <string>

#include "base/json.h"

namespace mutatenn {

std::string OperatorsTable();  // for a terminal: a line for each, and for each parameter
// docs/operators.md, whole. `goldens`: the folder of the operators' goldens, from which excerpts
// before and after are taken; "" = without excerpts.
std::string OperatorsMarkdown(const std::string& goldens = "");
// [{id, level, category, source, summary, doc, parameters: [{name, type, default, allowed, doc}]}]
Json OperatorsJson();

}  // namespace mutatenn
