// A double into the nearest number of another binary format, by scaling to its last place.
#include "mutation/rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mutatenn {
namespace {

struct Format {
  const char* dtype;
  int digits;        // of the significand, the hidden one included
  int min_exponent;  // of the smallest normal number, as std::ilogb gives it
  int max_exponent;
};
constexpr Format kFormats[] = {{"float16", 11, -14, 15},
                               {"bfloat16", 8, -126, 127},
                               {"float32", 24, -126, 127},
                               {"float64", 53, -1022, 1023}};

}  // namespace

std::optional<double> RoundTo(const std::string& dtype, double value) {
  for (const Format& format : kFormats) {
    if (dtype != format.dtype) continue;
    if (value == 0 || !std::isfinite(value)) return value;
    const int exponent = std::max(std::ilogb(value), format.min_exponent);
    const int last_place = exponent - (format.digits - 1);
    const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -last_place)), last_place);
    if (std::isfinite(rounded) && (rounded == 0 || std::ilogb(rounded) <= format.max_exponent))
      return rounded;
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  }
  return std::nullopt;
}

std::optional<Node> Addend(const std::string& dtype, double value) {
  const std::optional<double> rounded = RoundTo(dtype, value);
  if (!rounded || *rounded == 0 || !std::isfinite(*rounded)) return std::nullopt;
  return FloatImm(dtype, *rounded);
}

}  // namespace mutatenn
