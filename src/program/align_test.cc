// Programs side by side: fused alike, fused otherwise, in another order, with what has no partner.
#include "program/align.h"

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

// A program of unary steps; each entry is {output, input, layers}, "x" being the program's input.
struct Line {
  std::string output;
  std::vector<std::string> inputs;
  std::vector<std::string> layers;
  int64_t width = 4;
};
Program Make(const std::vector<Line>& lines, const std::string& output) {
  Program p{.model = "net", .target = "{}"};
  p.values.push_back({"x", Value::Kind::kInput, {{1, 4}}});
  p.kernels["k"] = {"k", "role", "k.so", ""};
  for (const Line& line : lines) {
    p.values.push_back({line.output, Value::Kind::kStep, {{1, line.width}}});
    Step step{line.output, "k", {}, {p.FindValue(line.output)}, line.layers};
    for (const std::string& input : line.inputs) step.inputs.push_back(p.FindValue(input));
    p.steps.push_back(step);
  }
  p.inputs = {0};
  p.outputs = {p.FindValue(output)};
  return p;
}

TEST(Align, EqualProgramsStepByStep) {
  const Program p = Make(
      {{"a", {"x"}, {"conv1", "relu1"}}, {"b", {"a"}, {"conv2"}}, {"c", {"a", "b"}, {"add"}}}, "c");
  const auto steps = Align(p, p);
  ASSERT_EQ(steps.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const AlignedStep& step = steps[static_cast<size_t>(i)];
    EXPECT_EQ(step.step_a, i);
    EXPECT_EQ(step.steps_b, std::vector<int>{i});
    EXPECT_EQ(step.values_a, step.values_b);
  }
  EXPECT_EQ(steps[0].inputs, std::vector<int>{});
  EXPECT_EQ(steps[2].inputs, (std::vector<int>{0, 1}));
}

TEST(Align, WhatOneSideFusesIsSeveralStepsOfTheOther) {
  const Program fused = Make({{"a", {"x"}, {"conv1", "bn1", "relu1"}}, {"b", {"a"}, {"fc"}}}, "b");
  const Program apart = Make({{"c", {"x"}, {"conv1"}},
                              {"n", {"c"}, {"bn1"}},
                              {"r", {"n"}, {"relu1"}},
                              {"f", {"r"}, {"fc"}}},
                             "f");
  const auto steps = Align(fused, apart);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].steps_b, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(steps[0].values_b, std::vector<int>{apart.FindValue("r")});
  EXPECT_EQ(steps[1].steps_b, std::vector<int>{3});
  EXPECT_EQ(steps[1].inputs, std::vector<int>{0});
  const auto back = Align(apart, fused);  // conv1 and bn1 have no partner
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].step_a, 2);
  EXPECT_EQ(back[0].steps_a, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(back[0].steps_b, std::vector<int>{0});
}

TEST(Align, ANodeOfTwoStepsMatchesInOrderAndTypesMustAgree) {
  const Program two =
      Make({{"a", {"x"}, {"softmax"}}, {"b", {"a"}, {"softmax"}}, {"c", {"b"}, {"fc"}}}, "c");
  ASSERT_EQ(Align(two, two).size(), 3u);
  const Program one = Make({{"b", {"x"}, {"softmax"}}, {"c", {"b"}, {"fc"}}}, "c");
  const auto steps = Align(two, one);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].step_a, 1);
  const Program wide = Make({{"b", {"x"}, {"softmax"}, 8}, {"c", {"b"}, {"fc"}}}, "c");
  ASSERT_EQ(Align(two, wide).size(), 1u);  // the network's output alone
  EXPECT_EQ(Align(two, wide)[0].steps_b, (std::vector<int>{0, 1}));
}

TEST(Align, AnotherOrderOfIndependentSteps) {
  const Program ab =
      Make({{"a", {"x"}, {"left"}}, {"b", {"x"}, {"right"}}, {"c", {"a", "b"}, {"add"}}}, "c");
  const Program ba =
      Make({{"b", {"x"}, {"right"}}, {"a", {"x"}, {"left"}}, {"c", {"a", "b"}, {"add"}}}, "c");
  const auto steps = Align(ab, ba);
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[0].step_b, 1);
  EXPECT_EQ(steps[1].step_b, 0);
  EXPECT_EQ(steps[2].steps_b, std::vector<int>{2});
}

}  // namespace
}  // namespace mutatenn
