// From mutation points to the mutants of a campaign: all of them, and which of them the sample
// selects.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/generator.h"
#include "mutation/mutant.h"
#include "store/store.h"

namespace mutatenn {

struct PlannedMutant {
  Mutant mutant;
  bool selected = true;
};
struct Plan {
  std::vector<StoredPoint> points;
  std::vector<PlannedMutant> mutants;   // in order of use and point; no id twice
  std::vector<StoredOperatorUse> uses;  // population sizes
};

struct SampleOptions {
  int max_mutants = 0;  // 0 = all
  uint64_t seed = 1;
  // Ids that an earlier, smaller sample selected. They stay selected, so that an extension never
  // throws a measured mutant away; the sample may exceed max_mutants by them.
  std::set<std::string> already = {};
};

// How many of each population a sample of `total` takes: equal shares, what a small population
// leaves over goes to the others, a remainder to the first ones. Grows with `total` in every part.
std::vector<int> EqualShares(const std::vector<int>& populations, int total);

Result<Plan> MakePlan(const std::string& model, const std::string& graph_hash,
                      const std::vector<PointsOfUse>& points, const SampleOptions& options);

}  // namespace mutatenn
