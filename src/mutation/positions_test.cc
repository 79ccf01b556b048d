// `positions`: every form read, hand-computed picks, and what is refused.
#include "mutation/positions.h"

#include <gtest/gtest.h>

#include "mutation/mutant.h"

namespace mutatenn {
namespace {

std::vector<size_t> Picked(const Json& json, size_t count) {
  auto positions = PositionsFromJson(json);
  EXPECT_TRUE(positions.ok()) << positions.error().message;
  return positions.ok() ? Pick(*positions, count) : std::vector<size_t>{};
}

using Numbers = std::vector<size_t>;

TEST(Positions, PickByHand) {
  EXPECT_EQ(Picked("all", 4), (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(Picked("start", 4), Numbers{0});
  EXPECT_EQ(Picked("end", 4), Numbers{3});
  EXPECT_EQ(Picked(Json::array({3, 1, 3}), 4), (Numbers{1, 3}));
  EXPECT_EQ(Picked("1-3", 5), (Numbers{1, 2, 3}));
  EXPECT_EQ(Picked("2-2", 5), Numbers{2});
  EXPECT_EQ(Picked("2-", 5), (Numbers{2, 3, 4}));
  EXPECT_EQ(Picked(Json::array({"3-4", 0, "4-"}), 6), (Numbers{0, 3, 4, 5}));
  EXPECT_EQ(Picked("20%", 10), (Numbers{0, 5}));
  EXPECT_EQ(Picked("30%", 10), (Numbers{0, 3, 6}));
  EXPECT_EQ(Picked("0.1%", 10), Numbers{0});
  EXPECT_EQ(Picked("100%", 3), (Numbers{0, 1, 2}));
  for (const char* word : {"all", "start", "end", "50%", "0-", "1-2"})
    EXPECT_EQ(Picked(word, 0), Numbers{}) << word;
}

TEST(Positions, PerKernelHoldsAnyOtherForm) {
  auto positions = PositionsFromJson(Json{{"per_kernel", Json::array({0, "2-3"})}});
  ASSERT_TRUE(positions.ok());
  EXPECT_TRUE(positions->per_kernel);
  EXPECT_EQ(Pick(*positions, 4), (Numbers{0, 2, 3}));
  EXPECT_FALSE(PositionsFromJson("all")->per_kernel);
}

TEST(Positions, RefuseWithTheFormsThereAre) {
  for (const char* text : {R"("most")",
                           R"("0%")",
                           R"("101%")",
                           R"("20")",
                           R"("-5%")",
                           R"("5%%")",
                           R"("%")",
                           R"("3-2")",
                           R"("-3")",
                           R"("1-2-3")",
                           R"("1..2")",
                           "[]",
                           "[-1]",
                           "[1.5]",
                           "[[1]]",
                           R"(["2"])",
                           "3",
                           "null",
                           "{}",
                           R"({"per_kernel": {"per_kernel": "all"}})",
                           R"({"per_step": "all"})",
                           R"({"per_kernel": "all", "x": 1})"}) {
    auto positions = PositionsFromJson(Json::parse(text));
    ASSERT_FALSE(positions.ok()) << text;
    EXPECT_NE(positions.error().message.find("; it must be \"all\", \"start\""), std::string::npos)
        << positions.error().message;
  }
  EXPECT_EQ(PositionsFromJson(Json::array({1, "x"})).error().message.substr(0, 55),
            "is [1,\"x\"], where \"x\" is neither a number nor a range; ");
}

// Kernels a (3 nodes, the second with two variants) and b (1 node).
std::vector<MutationPoint> TwoKernels() {
  return {{Level::kCode, {"A"}, "a", "conv", "x", 0, 0, 0},
          {Level::kCode, {"A"}, "a", "conv", "x", 1, 1, 0},
          {Level::kCode, {"A"}, "a", "conv", "x", 1, 1, 1},
          {Level::kCode, {"A"}, "a", "conv", "y", 0, 2, 0},
          {Level::kCode, {"B"}, "b", "dense", "x", 0, 3, 0}};
}

std::vector<std::vector<int>> Indices(const std::string& positions) {
  auto mutants =
      MakeMutants({"code.any", Json::object(), positions}, "conditions", TwoKernels(), "g");
  EXPECT_TRUE(mutants.ok()) << mutants.error().message;
  std::vector<std::vector<int>> all;
  for (const Mutant& mutant : *mutants) {
    all.emplace_back();
    for (const MutationPoint& point : mutant.points) {
      all.back().push_back(point.index);
      EXPECT_EQ(point.variant, 0) << "of several variants the first one";
    }
  }
  return all;
}

TEST(Positions, OneMutantOverTheProgramOrOneAKernel) {
  using All = std::vector<std::vector<int>>;
  EXPECT_EQ(Indices("\"all\""), (All{{0, 1, 2, 3}}));
  EXPECT_EQ(Indices(R"({"per_kernel":"all"})"), (All{{0, 1, 2}, {3}}));
  EXPECT_EQ(Indices(R"({"per_kernel":"end"})"), (All{{2}, {3}}));
  EXPECT_EQ(Indices(R"({"per_kernel":[1]})"), (All{{1}})) << "b has no second point";
  EXPECT_EQ(Indices("\"2-\""), (All{{2, 3}}));
}

TEST(Positions, BeyondTheLastPointIsAnError) {
  auto refusal = [](const std::string& positions) {
    return MakeMutants({"code.any", Json::object(), positions}, "c", TwoKernels(), "g")
        .error()
        .message;
  };
  EXPECT_EQ(refusal("[4]"),
            "positions: 4 is beyond the 4 points of 'code.any', which are numbered from 0 "
            "(`mutatenn points` lists them)");
  EXPECT_NE(refusal("\"1-4\"").find("4 is beyond the 4 points"), std::string::npos);
  EXPECT_NE(refusal("\"4-\"").find("4 is beyond the 4 points"), std::string::npos);
  EXPECT_NE(refusal(R"({"per_kernel":[3]})").find("3 is beyond the 3 points of 'code.any' in any"),
            std::string::npos);
  EXPECT_TRUE(MakeMutants({"code.any", Json::object(), "[4]"}, "c", {}, "g")->empty())
      << "a model without points is another matter";
}

TEST(Positions, PerKernelMutantsHaveTheirOwnIdsAndPlaces) {
  auto mutants =
      MakeMutants({"code.any", Json::object(), R"({"per_kernel":"all"})"}, "c", TwoKernels(), "g");
  ASSERT_EQ(mutants->size(), 2u);
  EXPECT_NE((*mutants)[0].id, (*mutants)[1].id);
  EXPECT_EQ((*mutants)[0].place, R"(code.any {} positions {"per_kernel":"all"} A conv)");
  EXPECT_EQ((*mutants)[1].place, R"(code.any {} positions {"per_kernel":"all"} B dense)");
}

TEST(Scope, StepEntersIdAndPlace) {
  MutationPoint point{Level::kCode, {"A"}, "a", "conv", "x", 0, 0, 0};
  auto make = [&](const std::string& step) {
    point.step = step;
    const OperatorUse use{"code.any", Json::object(), "", step.empty() ? "" : kScopeStep};
    return MakeMutants(use, "c", {point}, "g")->front();
  };
  const Mutant kernel = make(""), first = make("conv1"), second = make("conv2");
  EXPECT_NE(kernel.id, first.id);
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(first.place, "code.any {} A conv #0 scope step");
  const auto back = MutationPoint::FromJson(first.points[0].ToJson());
  EXPECT_EQ(back->step, "conv1");
  EXPECT_FALSE(kernel.points[0].ToJson().contains("step"));
}

}  // namespace
}  // namespace mutatenn
