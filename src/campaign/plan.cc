// Points become mutants, use by use; of each use the mutants with the lowest rank are sampled.
#include "campaign/plan.h"

#include <algorithm>

#include "campaign/config.h"

namespace mutatenn {

std::vector<int> EqualShares(const std::vector<int>& populations, int total) {
  std::vector<int> shares(populations.size(), 0);
  int left = total;
  while (left > 0) {
    std::vector<size_t> open;
    for (size_t i = 0; i < populations.size(); ++i) {
      if (shares[i] < populations[i]) open.push_back(i);
    }
    if (open.empty()) break;
    int each = left / static_cast<int>(open.size());
    for (size_t i : open) {
      if (left == 0) break;
      int take = std::min({std::max(each, 1), populations[i] - shares[i], left});
      shares[i] += take;
      left -= take;
    }
  }
  return shares;
}

Result<Plan> MakePlan(const std::string& model, const std::string& graph_hash,
                      const std::vector<PointsOfUse>& points, const SampleOptions& options) {
  Plan plan;
  std::set<std::string> ids;
  std::vector<std::vector<size_t>> members;  // of each use: indices into plan.mutants
  std::vector<int> populations;
  for (const PointsOfUse& use : points) {
    std::string key = OperatorKey(use.use);
    for (size_t i = 0; i < use.points.size(); ++i) {
      plan.points.push_back({model, key, static_cast<int>(i), DumpJson(use.points[i].ToJson())});
    }
    std::vector<size_t>& own = members.emplace_back();
    for (Mutant& mutant : TRY(MakeMutants(use.use, use.category, use.points, graph_hash))) {
      // Two uses can mean the same mutant ("positions": "all" of one point); it is counted once.
      if (!ids.insert(mutant.id).second) continue;
      own.push_back(plan.mutants.size());
      plan.mutants.push_back({std::move(mutant), options.max_mutants == 0});
    }
    populations.push_back(static_cast<int>(own.size()));
    plan.uses.push_back({model, key, use.use.id, use.category, static_cast<int>(use.points.size()),
                         populations.back(), 0});
  }
  if (options.max_mutants > 0) {
    std::vector<int> shares = EqualShares(populations, options.max_mutants);
    for (size_t u = 0; u < members.size(); ++u) {
      std::vector<std::pair<std::pair<uint64_t, std::string>, size_t>> ranked;
      for (size_t m : members[u]) {
        const std::string& id = plan.mutants[m].mutant.id;
        ranked.push_back({{SampleRank(options.seed, id), id}, m});
      }
      std::sort(ranked.begin(), ranked.end());
      for (int i = 0; i < shares[u]; ++i) plan.mutants[ranked[i].second].selected = true;
    }
  }
  for (size_t u = 0; u < members.size(); ++u) {
    for (size_t m : members[u]) {
      PlannedMutant& planned = plan.mutants[m];
      if (options.already.count(planned.mutant.id)) planned.selected = true;
      if (planned.selected) ++plan.uses[u].selected;
    }
  }
  return plan;
}

}  // namespace mutatenn
