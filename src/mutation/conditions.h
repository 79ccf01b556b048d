// What the condition operators share: the relations by the names that parameters use.
#pragma once

#include <string>

#include "mutation/expressions.h"
#include "mutation/operator.h"

namespace mutatenn {

const NamedKind* RelationOf(const Node& node);  // null where the node is no relation
const char* RelationNamed(const std::string& name);
// A parameter that lists relations; all of them by default.
ParameterSpec RelationsParameter(const char* name, const char* doc);

}  // namespace mutatenn
