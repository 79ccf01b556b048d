// What is asked for floors, of whom, and what is stored of the answer.
#include "campaign/floors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "campaign/test_store.h"

namespace mutatenn {
namespace {

using ::testing::ElementsAre;

class Answering : public fakes::FakeSession {
 public:
  using FakeSession::FakeSession;
  Result<std::vector<StepFloor>> Floors(const FloorRequest& request) override {
    asked = request;
    return std::vector<StepFloor>{{"a", 0, 2, 0.5, 0.25, 3}, {"b", 1, 2, 0.5, NAN, 3}};
  }
  FloorRequest asked;
};

class FloorsOfACampaign : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    context_.emplace(CampaignContext{config_, parts_, *store_, progress_, folder_});
    context_->target_of_device = {{"cpu", 1}};
    MutantProgram program;
    for (const char* variant : {kFloat64Variant, kNaiveVariant}) {
      program.mutant = variant;
      fakes::Must(store_->PutVariants({{"m", 1, variant, DumpJson(ToJson(program))}}));
    }
  }
  void TearDown() override {
    context_.reset();
    StoreTest::TearDown();
  }
  std::optional<FloorRequest> Open() { return fakes::Must(OpenFloors(*context_, "m", "cpu")); }

  Config config_;
  CampaignParts parts_;
  Progress progress_{{.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}}};
  std::optional<CampaignContext> context_;
  fakes::World world_;
};

TEST_F(FloorsOfACampaign, AreMeasuredOnceOnTheFirstImages) {
  std::optional<FloorRequest> request = Open();
  ASSERT_TRUE(request);
  ASSERT_EQ(request->roundings.size(), 1u);
  EXPECT_EQ(request->roundings[0].mutant, kNaiveVariant);
  EXPECT_EQ(request->exact->mutant, kFloat64Variant);
  Answering session(world_, "cpu");
  auto floors = fakes::Must(MeasureFloors(session, *request, {"c", "a", "b"}, 2));
  EXPECT_THAT(session.asked.images, ElementsAre("a", "b"));
  fakes::Must(StoreFloors(*store_, "m", "cpu", floors));
  EXPECT_FALSE(Open());
  auto rows = fakes::Must(store_->Floors("m", "cpu"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].floor, 0.5);
  EXPECT_EQ(rows[0].distance, 0.25);
  EXPECT_EQ(rows[1].floor, 0.5);
  EXPECT_TRUE(std::isnan(rows[1].distance));
  EXPECT_TRUE(fakes::Must(store_->Floors("m", "other")).empty());
}

TEST_F(FloorsOfACampaign, ADeviceThatMeasuresNoneHasNone) {
  fakes::FakeSession session(world_, "cpu");
  EXPECT_TRUE(fakes::Must(MeasureFloors(session, *Open(), {"a"}, 2)).empty());
}

TEST_F(FloorsOfACampaign, ZeroImagesSwitchThemOff) {
  config_.floors = 0;
  EXPECT_FALSE(Open());
}

}  // namespace
}  // namespace mutatenn
