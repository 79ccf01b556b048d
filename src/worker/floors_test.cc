// Floors of the small program, by hand.
#include "worker/floors.h"

#include <gtest/gtest.h>

#include <map>

#include "device/small_program.h"

namespace mutatenn {
namespace {

class Floors : public ::testing::Test {
 protected:
  void SetUp() override {
    original_ = std::move(Original::Load(small_.Request())).value();
    references_ = std::make_unique<References>(
        References::Run(*original_, small_.Images(2), 0, [] { return true; }).value());
  }
  std::map<std::string, StepFloor> Measure(const FloorRequest& request) {
    auto floors =
        MeasureFloors(*original_, OnCpu(*original_, *references_), request, [] { return true; });
    EXPECT_TRUE(floors.ok()) << floors.error().message;
    std::map<std::string, StepFloor> by_step;
    for (const StepFloor& floor : floors.value()) by_step[floor.step] = floor;
    return by_step;
  }
  MutantProgram With(const std::string& variant) { return small_.Replace(variant, {}).program; }

  SmallProgram small_;
  std::unique_ptr<Original> original_;
  std::unique_ptr<References> references_;
};

// `tiny` is an add that gives 0.001 more at element 3; the network has it twice.
TEST_F(Floors, StepsRunAloneAndTheNetworkAsAWhole) {
  auto floors = Measure({{With("tiny")}, With("same"), {"image0", "image1"}});
  ASSERT_EQ(floors.size(), 3u);  // multiply and relu are the same code everywhere
  for (const char* step : {"b", "d"}) {
    EXPECT_NEAR(floors[step].spread, 0.001, 1e-6);
    EXPECT_NEAR(floors[step].distance, 0.001, 1e-6);
    EXPECT_EQ(floors[step].images, 2);
  }
  double output = 0, magnitude = 0;
  const std::vector<float> w = SmallProgram::Ramp(0.5f, 0.125f),
                           bias = SmallProgram::Ramp(-2.0f, 0.25f),
                           scale = SmallProgram::Ramp(1.0f, -0.03125f);
  for (int image : {0, 1}) {
    const float b = SmallProgram::ImageElements(image)[3] * w[3] * 2 + bias[3];
    output = std::max(output, (b > 0 ? 0.002 : 0.001) * scale[3]);
    for (float y : SmallProgram::Expected(image))
      magnitude = std::max(magnitude, std::abs(static_cast<double>(y)));
  }
  EXPECT_NEAR(floors[""].spread, output, 1e-6);
  EXPECT_NEAR(floors[""].distance, output, 1e-6);
  EXPECT_NEAR(floors[""].magnitude, magnitude, 1e-2);
}

TEST_F(Floors, TheOriginalIsOneOfThoseComparedWithFloat64) {
  auto floors = Measure({{}, With("tiny"), {"image1"}});
  EXPECT_EQ(floors["b"].spread, 0);
  EXPECT_NEAR(floors["b"].distance, 0.001, 1e-6);
  EXPECT_EQ(floors["b"].images, 1);
}

TEST_F(Floors, WithoutFloat64TheDistanceIsNotKnown) {
  auto floors = Measure({{With("tiny"), With("subtract")}, {}, {"image0"}});
  EXPECT_TRUE(std::isnan(floors["b"].distance));
  EXPECT_GT(floors["b"].spread, 1);
}

TEST_F(Floors, WhatIsNotFiniteIsLeftOut) {
  auto floors = Measure({{With("nan")}, With("tiny"), {"image0"}});
  EXPECT_EQ(floors["b"].spread, 0);
  EXPECT_NEAR(floors["b"].distance, 0.001, 1e-6);
}

TEST_F(Floors, RefusesAnImageThatIsNotLoaded) {
  auto floors = MeasureFloors(*original_, OnCpu(*original_, *references_), {{}, {}, {"other"}},
                              [] { return true; });
  EXPECT_EQ(floors.error().message, "image 'other' is not of the loaded chunk");
}

}  // namespace
}  // namespace mutatenn
