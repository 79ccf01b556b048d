// The sample: equal shares, lowest rank first, the same every time, growing without exchanging
// members.
#include "campaign/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace mutatenn {
namespace {

TEST(EqualShares, DividesAndGivesLeftoversToTheOthers) {
  using V = std::vector<int>;
  EXPECT_EQ(EqualShares({10, 10, 10}, 9), (V{3, 3, 3}));
  EXPECT_EQ(EqualShares({10, 10, 10}, 11), (V{4, 4, 3}));
  EXPECT_EQ(EqualShares({1, 10, 10}, 9), (V{1, 4, 4}));
  EXPECT_EQ(EqualShares({1, 2, 100}, 50), (V{1, 2, 47}));
  EXPECT_EQ(EqualShares({0, 3}, 50), (V{0, 3}));
  EXPECT_EQ(EqualShares({5, 5}, 1), (V{1, 0}));
  EXPECT_EQ(EqualShares({}, 3), V{});
}

TEST(EqualShares, GrowsWithTheTotalInEveryPart) {
  std::vector<int> populations = {3, 0, 17, 5, 40}, last(5, 0);
  for (int total = 0; total <= 70; ++total) {
    std::vector<int> shares = EqualShares(populations, total);
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), 0), std::min(total, 65));
    for (size_t i = 0; i < shares.size(); ++i) {
      EXPECT_GE(shares[i], last[i]);
      EXPECT_LE(shares[i], populations[i]);
    }
    last = shares;
  }
}

Plan PlanOf(const std::string& model, const std::string& graph_hash,
            const std::vector<PointsOfUse>& points, const SampleOptions& options) {
  Result<Plan> plan = MakePlan(model, graph_hash, points, options);
  EXPECT_TRUE(plan.ok());
  return std::move(plan).value();
}

std::vector<PointsOfUse> TwoUses() {
  std::vector<PointsOfUse> uses;
  for (const char* id : {"code.a", "code.b"}) {
    PointsOfUse use{{id}, "category", Level::kCode};
    for (int i = 0; i < 20; ++i)
      use.points.push_back({Level::kCode, {"layer"}, "kernel", "conv", "block", i, i, 0});
    uses.push_back(use);
  }
  return uses;
}

std::vector<std::string> Selected(const Plan& plan) {
  std::vector<std::string> ids;
  for (const PlannedMutant& planned : plan.mutants) {
    if (planned.selected) ids.push_back(planned.mutant.id);
  }
  return ids;
}

TEST(MakePlan, SamplesTheLowestRanksOfEachUse) {
  Plan plan = PlanOf("net", "graph", TwoUses(), {.max_mutants = 10, .seed = 3});
  ASSERT_EQ(plan.mutants.size(), 40u);
  ASSERT_EQ(plan.uses.size(), 2u);
  EXPECT_EQ(plan.uses[0].mutants, 20);
  EXPECT_EQ(plan.uses[0].selected, 5);
  EXPECT_EQ(plan.uses[1].selected, 5);
  // Independent of the plan's own sorting: nobody outside ranks below anybody inside.
  for (const char* id : {"code.a", "code.b"}) {
    uint64_t highest_in = 0, lowest_out = UINT64_MAX;
    for (const PlannedMutant& planned : plan.mutants) {
      if (planned.mutant.use.id != id) continue;
      uint64_t rank = SampleRank(3, planned.mutant.id);
      if (planned.selected) {
        highest_in = std::max(highest_in, rank);
      } else {
        lowest_out = std::min(lowest_out, rank);
      }
    }
    EXPECT_LT(highest_in, lowest_out);
  }
}

TEST(MakePlan, IsTheSameEveryTimeAndDependsOnTheSeed) {
  auto ids = [](uint64_t seed) {
    return Selected(PlanOf("net", "graph", TwoUses(), {.max_mutants = 10, .seed = seed}));
  };
  EXPECT_EQ(ids(1), ids(1));
  EXPECT_NE(ids(1), ids(2));
}

TEST(MakePlan, DoesNotDependOnTheOrderOfPoints) {
  std::vector<PointsOfUse> turned = TwoUses();
  for (PointsOfUse& use : turned) std::reverse(use.points.begin(), use.points.end());
  auto sorted = [](const std::vector<PointsOfUse>& uses) {
    std::vector<std::string> ids =
        Selected(PlanOf("net", "graph", uses, {.max_mutants = 10, .seed = 1}));
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  EXPECT_EQ(sorted(turned), sorted(TwoUses()));
}

TEST(MakePlan, KeepsWhatWasSelectedBefore) {
  Plan all = PlanOf("net", "graph", TwoUses(), {});
  std::string id = all.mutants.back().mutant.id;
  EXPECT_EQ(Selected(all).size(), 40u);
  SampleOptions options{.max_mutants = 2, .seed = 1};
  size_t without = Selected(PlanOf("net", "graph", TwoUses(), options)).size();
  options.already = {id};
  std::vector<std::string> with = Selected(PlanOf("net", "graph", TwoUses(), options));
  EXPECT_TRUE(std::count(with.begin(), with.end(), id));
  EXPECT_GE(with.size(), without);
}

TEST(MakePlan, CountsAMutantOfTwoUsesOnce) {
  std::vector<PointsOfUse> uses = TwoUses();
  uses[0].points.resize(1);
  PointsOfUse same = uses[0];
  same.use.positions = "\"all\"";  // of one point: the same mutant
  uses = {uses[0], same};
  Plan plan = PlanOf("net", "graph", uses, {});
  EXPECT_EQ(plan.mutants.size(), 1u);
  EXPECT_EQ(plan.uses[1].mutants, 0);
}

}  // namespace
}  // namespace mutatenn
