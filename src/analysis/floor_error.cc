// A difference and what is none on its device to how often the one holds the other.
#include <cmath>
#include <limits>

#include "analysis/metrics.h"

namespace mutatenn {

std::optional<double> ErrorAgainstFloor(double error, double floor) {
  if (std::isnan(floor) || std::isinf(floor)) return std::nullopt;
  if (floor > 0) return error / floor;
  if (error == 0) return 0;
  return std::isnan(error) ? error : std::numeric_limits<double>::infinity();
}

}  // namespace mutatenn
