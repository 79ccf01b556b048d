// What the two arithmetic operators share: the operators by the names that parameters use, and
// which replacement is valid.
#pragma once

#include <string>
#include <vector>

#include "mutation/expressions.h"
#include "mutation/operator.h"

namespace mutatenn {

bool IsArithmetic(const Node& node);
// The node with each operator that "to" names instead of its own, where "from" names that. Integers
// have no true division, floats no floordiv and floormod; no divisor is the constant 0, and one of
// integers must be a constant.
std::vector<Node> OtherArithmetic(const Node& node, const Json& parameters);

enum class Arithmetic { kFloatAndInteger, kInteger };
std::vector<ParameterSpec> ArithmeticParameters(Arithmetic arithmetic);

}  // namespace mutatenn
