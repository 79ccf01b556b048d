// Two local workers, one with a step that is made to differ: each step's local and total error
// against the program by hand.
#include "campaign/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "device/session_testing.h"

namespace mutatenn {
namespace {

Side Open(const std::string& name, const Program& program) {
  LoadRequest request = Small().Request();
  request.program = program;
  Side side{.name = name, .program = program, .session = OpenLocal()};
  Good(side.session->Load(request));
  return side;
}

// The small program with another kernel for `step`.
Program With(const std::string& step, const std::string& variant) {
  Program program = Small().Make();
  program.kernels["other"] = Small().MakeKernel("other", variant);
  for (Step& s : program.steps)
    if (s.name == step) s.kernel = "other";
  return program;
}

constexpr double kFloor = 1e-6;  // of every step

Comparison Compare(const Program& a, const Program& b, int images, double timeout_s = 0) {
  Side left = Open("left", a), right = Open("right", b);
  right.timeout_s = timeout_s;
  for (const Step& step : a.steps) left.floors[step.name] = kFloor;
  for (const Step& step : b.steps) right.floors[step.name] = 8 * kFloor;
  Progress progress({.verbosity = Verbosity::kQuiet});
  auto read = [](int i) -> Result<CompareInput> {
    const std::vector<float> x = SmallProgram::ImageElements(i);
    return CompareInput{"image" + std::to_string(i),
                        {reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float)}};
  };
  return Good(CompareSides(left, right, images, read, progress));
}

TEST(CompareSides, EqualSidesDoNotDiffer) {
  const Comparison found = Compare(Small().Make(), Small().Make(), 2);
  EXPECT_EQ(found.first, -1);
  EXPECT_EQ(found.images, 2);
  EXPECT_EQ(found.labels_differ, 0);
  ASSERT_EQ(found.steps.size(), 5u);
  for (const ComparedStep& step : found.steps) {
    EXPECT_EQ(step.total.elements, 48);
    EXPECT_EQ(step.total.differing + step.local.differing, 0);
  }
}

TEST(CompareSides, TheStepThatDiffersIsFoundAndItsErrorFollowed) {
  constexpr int kImages = 3;
  const Comparison found = Compare(Small().Make(), With("b", "subtract"), kImages);
  // By hand: a = x * 2w, b = a + bias (here a - bias), c = relu(b), d = c + a, y = d *
  // scale.
  ValueDifference b_total, c_total, y_total;
  for (int image = 0; image < kImages; ++image) {
    const auto x = SmallProgram::ImageElements(image), w = SmallProgram::Ramp(0.5f, 0.125f),
               bias = SmallProgram::Ramp(-2.0f, 0.25f), scale = SmallProgram::Ramp(1, -0.03125f);
    std::vector<float> b, b2, c, c2, y, y2;
    for (size_t i = 0; i < x.size(); ++i) {
      const float a = x[i] * (w[i] * 2);
      b.push_back(a + bias[i]);
      b2.push_back(a - bias[i]);
      c.push_back(b[i] > 0 ? b[i] : 0);
      c2.push_back(b2[i] > 0 ? b2[i] : 0);
      y.push_back((c[i] + a) * scale[i]);
      y2.push_back((c2[i] + a) * scale[i]);
    }
    Add(Differences(b2, b), &b_total);
    Add(Differences(c2, c), &c_total);
    Add(Differences(y2, y), &y_total);
  }
  ASSERT_EQ(found.steps.size(), 5u);
  const ComparedStep &a = found.steps[0], &b = found.steps[1], &c = found.steps[2],
                     &y = found.steps[4];
  ASSERT_EQ(found.first, 1);
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.layers, std::vector<std::string>{"layer_b"});
  EXPECT_EQ(a.total.differing, 0);
  EXPECT_EQ(b.total, b_total);
  EXPECT_EQ(b.local, b_total);
  EXPECT_NEAR(b.local.largest_abs, 7.5, 1e-5);  // twice the largest bias
  EXPECT_EQ(c.total, c_total);
  EXPECT_EQ(y.total, y_total);
  // Everything behind it is as it was: only its inputs differ.
  for (size_t k = 2; k < 5; ++k) {
    EXPECT_EQ(found.steps[k].local.differing, 0) << k;
    EXPECT_FALSE(found.steps[k].diverges());
  }
  EXPECT_EQ(b.growth, 0);  // new
  EXPECT_DOUBLE_EQ(c.growth,
                   (c_total.largest_abs / c_total.scale) / (b_total.largest_abs / b_total.scale));
  EXPECT_DOUBLE_EQ(b.floor, kPairFloor * kFloor);  // of the smaller one
  EXPECT_NEAR(b.floor * b.excess, 7.5, 1e-5);
  EXPECT_GT(y_total.largest_abs, 0.1);
}

TEST(CompareSides, WhatIsNotFiniteOnOneSideDiverges) {
  const Comparison found = Compare(Small().Make(), With("d", "nan"), 1);
  ASSERT_EQ(found.first, 3);
  EXPECT_EQ(found.steps[3].local.nonfinite, 1);
  EXPECT_TRUE(std::isinf(found.steps[3].excess));
  EXPECT_EQ(ToJson(found)["steps"][3]["excess"], "inf");
  EXPECT_EQ(ToJson(found)["first_diverging"], "d");
}

// Steps of one side that are one of the other: here b and c, computed by a kernel of both.
TEST(CompareSides, StepsThatOneSideFuses) {
  Program fused = Small().Make();
  fused.steps[3].inputs = {fused.FindValue("b")};
  fused.steps[2].layers = {};  // b has no partner
  const Comparison found = Compare(fused, With("b", "tiny"), 2);
  ASSERT_EQ(found.steps.size(), 4u);
  EXPECT_EQ(found.steps[1].name, "c");
  EXPECT_EQ(found.steps[1].steps_b, 2);
  EXPECT_EQ(found.steps[0].local.differing, 0);
}

// A floor that nobody measured is not 0: nothing is said of the step.
TEST(CompareSides, WithoutFloorsNothingDiverges) {
  Side left = Open("left", Small().Make()), right = Open("right", With("b", "subtract"));
  left.floors = {{"a", kFloor}, {"b", NAN}};
  Progress progress({.verbosity = Verbosity::kQuiet});
  const std::vector<float> x = SmallProgram::ImageElements(0);
  auto read = [&](int) -> Result<CompareInput> {
    return CompareInput{"x", {reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float)}};
  };
  const Comparison found = Good(CompareSides(left, right, 1, read, progress));
  EXPECT_EQ(found.first, -1);
  EXPECT_DOUBLE_EQ(found.steps[0].floor, kPairFloor * kFloor);  // of the only one
  EXPECT_TRUE(std::isnan(found.steps[1].floor));
  EXPECT_TRUE(std::isnan(found.steps[1].excess));
  EXPECT_GT(found.steps[1].local.largest_abs, 1);
  EXPECT_TRUE(ToJson(found)["steps"][1]["floor"].is_null());
  EXPECT_FALSE(found.steps[1].diverges());
}

TEST(CompareSides, AHangAndACrashAreFound) {
  Comparison found = Compare(Small().Make(), With("c", "spin"), 2, 1);
  ASSERT_EQ(found.first, 2);
  EXPECT_EQ(found.steps[2].died, "right gave no answer within 1 s");
  EXPECT_EQ(found.steps[2].image, "image0");
  EXPECT_EQ(ToJson(found)["steps"][2]["died"], "right gave no answer within 1 s");
  EXPECT_EQ(found.steps[1].local.elements, 24);  // what came before is known
  found = Compare(Small().Make(), With("c", "crash"), 2);
  ASSERT_EQ(found.first, 2);
  EXPECT_TRUE(found.steps[2].died.starts_with("right: ")) << found.steps[2].died;
}

}  // namespace
}  // namespace mutatenn
