// Ids, places, positions and sampling order of mutants.
#include "mutation/mutant.h"

#include <gtest/gtest.h>

#include <set>

namespace mutatenn {
namespace {

// Nodes 0..count-1 of one block, every third of them with a second variant.
std::vector<MutationPoint> SomePoints(int count) {
  std::vector<MutationPoint> points;
  for (int i = 0; i < count; ++i) {
    MutationPoint point{Level::kCode, {"Conv_1"}, "key", "conv2d", "block", i, i + 10, 0};
    points.push_back(point);
    if (i % 3 == 2) {
      point.variant = 1;
      points.push_back(point);
    }
  }
  return points;
}

std::vector<int> Picked(const std::string& positions, int count) {
  const OperatorUse use{"code.any", Json::object(), positions};
  const auto mutants = MakeMutants(use, "conditions", SomePoints(count), "graph");
  EXPECT_TRUE(mutants.ok()) << mutants.error().message;
  if (mutants.value().empty()) return {};
  EXPECT_EQ(mutants.value().size(), 1u);
  std::vector<int> matches;
  for (const MutationPoint& point : mutants.value().front().points) {
    EXPECT_EQ(point.variant, 0);
    matches.push_back(point.match);
  }
  return matches;
}

std::string IdOf(const OperatorUse& use, const MutationPoint& point,
                 const std::string& subject = "g") {
  return MakeMutants(use, "conditions", {point}, subject).value().front().id;
}

TEST(Positions, NoneGivesOneMutantForEachPointAndVariant) {
  const OperatorUse use{"code.any", Json::object(), ""};
  const auto mutants = MakeMutants(use, "conditions", SomePoints(7), "graph").value();
  ASSERT_EQ(mutants.size(), 9u);
  std::set<std::string> ids, places;
  for (const Mutant& mutant : mutants) {
    EXPECT_EQ(mutant.points.size(), 1u);
    EXPECT_EQ(mutant.category, "conditions");
    EXPECT_EQ(mutant.level, Level::kCode);
    ids.insert(mutant.id);
    places.insert(mutant.place);
  }
  EXPECT_EQ(ids.size(), 9u);
  EXPECT_EQ(places.size(), 9u);
}

TEST(Positions, PickNodesByTheirFirstVariant) {
  EXPECT_EQ(Picked("\"all\"", 4), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(Picked("[3,1,3]", 4), (std::vector<int>{1, 3}));
  EXPECT_EQ(Picked("\"30%\"", 10), (std::vector<int>{0, 3, 6}));
  EXPECT_TRUE(Picked("\"all\"", 0).empty());
}

TEST(MutantId, ComesFromContentOnly) {
  const OperatorUse use{"code.any", Json{{"a", 1.0}, {"b", "x"}}, ""};
  const MutationPoint point = SomePoints(1).front();
  const std::string id = IdOf(use, point);
  EXPECT_EQ(id.size(), 32u);
  MutationPoint same = point;
  same.index = 99;
  same.layers = {"renamed"};
  same.role = "other";
  EXPECT_EQ(IdOf(use, same), id);
  EXPECT_EQ(IdOf({"code.any", Json{{"b", "x"}, {"a", 1.0}}, ""}, point), id) << "order of keys";
  EXPECT_EQ(IdOf({"code.any", use.parameters, "\"start\""}, point), id)
      << "same points, same mutant";
  EXPECT_EQ(IdOf(use, point, "another graph"), id) << "a kernel's key says all";
  EXPECT_NE(IdOf({"code.other", use.parameters, ""}, point), id);
  EXPECT_NE(IdOf({"code.any", Json{{"a", 2.0}, {"b", "x"}}, ""}, point), id);
  for (auto change :
       {+[](MutationPoint& p) { p.kernel = "k"; }, +[](MutationPoint& p) { p.block = "b"; },
        +[](MutationPoint& p) { p.match = 5; }, +[](MutationPoint& p) { p.variant = 1; }}) {
    MutationPoint other = point;
    change(other);
    EXPECT_NE(IdOf(use, other), id);
  }
}

TEST(MutantId, AtLevelGraphHoldsGraphAndLayer) {
  const OperatorUse use{"graph.any", Json::object(), ""};
  const MutationPoint point{Level::kGraph, {"Add_3"}, "", "relax.add", "", 2, 2, 0};
  MutationPoint elsewhere = point;
  elsewhere.layers = {"Add_4"};
  EXPECT_NE(IdOf(use, point, "g"), IdOf(use, point, "h"));
  EXPECT_NE(IdOf(use, point, "g"), IdOf(use, elsewhere, "g"));
}

// Recorded once: an id that moves would part a campaign from its stored mutants.
TEST(MutantId, IsStable) {
  const OperatorUse use{"code.store_value", Json{{"value", -1e-8}}, ""};
  EXPECT_EQ(IdOf(use, SomePoints(1).front()), "e998a45434836903ca601d72dd6a7d15");
}

TEST(Mutant, PlaceNamesOperatorLayersRoleAndIndex) {
  const OperatorUse use{"code.any", Json{{"value", 0.5}}, ""};
  const auto one = MakeMutants(use, "conditions", SomePoints(1), "g").value().front();
  EXPECT_EQ(one.place, R"(code.any {"value":0.5} Conv_1 conv2d #10)");
  const auto all =
      MakeMutants({"code.any", use.parameters, "\"all\""}, "conditions", SomePoints(2), "g");
  EXPECT_EQ(all.value().front().place, R"(code.any {"value":0.5} positions "all")");
}

TEST(SampleRank, DependsOnSeedAndId) {
  EXPECT_EQ(SampleRank(1, "a"), SampleRank(1, "a"));
  EXPECT_NE(SampleRank(1, "a"), SampleRank(2, "a"));
  EXPECT_NE(SampleRank(1, "a"), SampleRank(1, "b"));
  EXPECT_NE(SampleRank(1, "1a"), SampleRank(11, "a"));
}

TEST(MutationPoint, SurvivesJson) {
  const MutationPoint point{Level::kLowered, {"a", "b"}, "k", "r", "bl", 3, 4, 5};
  const auto back = MutationPoint::FromJson(point.ToJson());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value().ToJson(), point.ToJson());
  EXPECT_EQ(back.value().level, Level::kLowered);
}

TEST(MutationPoint, RefusesDamage) {
  const Json good = MutationPoint{}.ToJson();
  for (const auto& [key, value] : good.items()) {
    Json damaged = good;
    damaged.erase(key);
    EXPECT_FALSE(MutationPoint::FromJson(damaged).ok()) << key;
    damaged[key] = value.is_number() ? Json(-1) : Json(7);
    EXPECT_FALSE(MutationPoint::FromJson(damaged).ok()) << key;
  }
  EXPECT_FALSE(MutationPoint::FromJson(Json("text")).ok());
}

}  // namespace
}  // namespace mutatenn
