// One-way analysis of variance of two or more groups of measurements, such as the times of one
// mutant on two devices: do the groups' means differ more than chance explains?
#pragma once

#include <optional>
#include <vector>

namespace mutatenn {

struct Anova {
  double statistic = 0;  // F; infinity when the means differ and no group varies
  double p_value = 1;    // probability of an F at least as large if all means were equal
};

// No value with fewer than two groups, an empty group, no group of more than one measurement, or
// when all measurements are equal (0 / 0).
std::optional<Anova> OneWayAnova(const std::vector<std::vector<double>>& groups);

}  // namespace mutatenn
