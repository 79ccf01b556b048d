// Numbers as a floating dtype of TVM's holds them. GCC 12's C++ has no half type, so this is
// arithmetic.
#pragma once

#include <optional>
#include <string>

#include "tvm/node.h"

namespace mutatenn {

// `value` rounded to the nearest number of `dtype` (ties to even); infinite beyond its range.
// Nothing for a dtype other than float16, bfloat16, float32 and float64.
std::optional<double> RoundTo(const std::string& dtype, double value);

// A constant of `dtype` for an operator to add. Nothing where the constant would be zero or
// infinite after rounding: adding it is no mutation, or none that anybody means.
std::optional<Node> Addend(const std::string& dtype, double value);

}  // namespace mutatenn
