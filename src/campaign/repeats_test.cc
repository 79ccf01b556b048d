// Spread, agreement and findings of devices that are scripted: exact, noisy, wrong, not finite.
#include "campaign/repeats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "campaign/test_store.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;

// Gives the scores of `runs` in turn, the same for every image.
class Scripted : public Session {
 public:
  explicit Scripted(std::vector<std::vector<float>> runs) : runs_(std::move(runs)) {}
  Result<LoadReply> Load(const LoadRequest&) override { return LoadReply{}; }
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) override {
    ++run_;
    std::vector<OriginalRun> result;
    for (const ImageInput& image : images)
      result.push_back({image.id, TopK(Scores().data(), 3, 3), 0});
    return result;
  }
  Status Submit(const std::vector<MutantJob>&) override { return Ok(); }
  Result<std::vector<MutantDone>> Collect(double) override { return std::vector<MutantDone>{}; }
  Result<std::vector<std::vector<float>>> Outputs(const std::string&) override {
    return std::vector<std::vector<float>>{Scores()};
  }

 private:
  const std::vector<float>& Scores() const { return runs_[(run_ - 1) % runs_.size()]; }
  std::vector<std::vector<float>> runs_;
  size_t run_ = 0;
};

class Repeats : public StoreTest {
 protected:
  // Three runs of a device, stored; its row.
  StoredRepeat Run(const std::string& device, std::vector<std::vector<float>> runs) {
    Scripted session(std::move(runs));
    const std::vector<ImageInput> images = {{"a", ""}};
    auto first = fakes::Must(session.SetImages(images));
    auto repeats = fakes::Must(RepeatOriginals(session, images, first, 3));
    fakes::Must(StoreRepeats(*store_, "m", device, device == "first", repeats));
    for (StoredRepeat& row : fakes::Must(store_->Repeats("m")))
      if (row.device == device) return row;
    return {};
  }
  std::string Finding(const std::string& device) {
    return fakes::Must(FindingOf(*store_, "m", device));
  }
};

TEST_F(Repeats, AnExactDeviceHasNoSpreadAndNoFinding) {
  StoredRepeat row = Run("first", {{1, 3, 2}});
  EXPECT_EQ(row.runs, 3);
  EXPECT_EQ(row.labels_json, "[1,1,1]");
  EXPECT_EQ(row.spread_json, "[0.0]");
  EXPECT_EQ(row.reference_diff, 0);
  EXPECT_EQ(Finding("first"), "");
  auto reference = fakes::Must(store_->ReferenceOutputs("m"));
  ASSERT_EQ(reference.size(), 1u);
  EXPECT_EQ(reference[0].elements, "0000803f0000404000000040");  // 1, 3, 2 as IEEE 754 has them
}

TEST_F(Repeats, ADeviceThatRoundsOtherwiseIsNoFinding) {
  Run("first", {{1, 3, 2}});
  StoredRepeat row = Run("second", {{1, 3.0001f, 2}});
  EXPECT_NEAR(row.reference_diff, 1e-4, 1e-6);
  EXPECT_TRUE(row.reference_label);
  EXPECT_EQ(Finding("second"), "");
}

TEST_F(Repeats, NoiseIsTheLargestDifferenceToTheFirstRun) {
  Run("first", {{1, 3, 2}});
  StoredRepeat row = Run("noisy", {{1, 3, 2}, {1, 3, 2.25f}, {1, 2, 2.125f}});
  EXPECT_EQ(row.spread_json, "[1.0]");
  EXPECT_EQ(row.labels_json, "[1,1,2]");
  EXPECT_THAT(Finding("noisy"), HasSubstr("1 of 1 images change their label from run to run"));
}

TEST_F(Repeats, AWrongOriginalIsAFinding) {
  Run("first", {{1, 3, 2}});
  EXPECT_FALSE(Run("wrong", {{5, 3, 2}}).reference_label);
  EXPECT_THAT(Finding("wrong"), HasSubstr("another label than the reference on 1 of 1 images"));
  EXPECT_THAT(Finding("wrong"), HasSubstr("differ from the reference by up to 4"));
  EXPECT_TRUE(std::isnan(Run("nan", {{1, 3, NAN}}).reference_diff));
  EXPECT_THAT(Finding("nan"), HasSubstr("not finite where the reference is"));
  EXPECT_EQ(Finding("first"), "");
}

// What a network's own rounding makes is no fault of a device, and a tie may fall either way.
TEST_F(Repeats, AFindingIsBeyondTheFloor) {
  Run("first", {{1, 3, 2.9999f}});
  EXPECT_FALSE(Run("tie", {{1, 2.9999f, 3}}).reference_label);
  EXPECT_EQ(Finding("tie"), "");
  Run("far", {{1, 3.5f, 2.5f}});
  EXPECT_THAT(Finding("far"), HasSubstr("by up to 0.5 (they reach 3; rounding alone was not"));
  fakes::Must(store_->PutDevices({{"first"}, {"far"}}));
  fakes::Must(store_->PutFloors({{"m", "first", "", 0, 1, 0.25, 0.25, 0.125, 3},
                                 {"m", "far", "step", 0, 1, 9, 9, 9, 9},
                                 {"m", "far", "", 0, 1, 0.2, 0.2, 0.2, 3}}));
  EXPECT_THAT(Finding("far"), HasSubstr("rounding alone makes 0.45)"));
  fakes::Must(store_->PutFloors({{"m", "far", "", 0, 1, 0.3, 0.2, 0.3, 3}}));
  EXPECT_EQ(Finding("far"), "");
}

TEST_F(Repeats, ASessionWithoutOutputsHasNone) {
  fakes::World world;
  auto session = fakes::Must(fakes::Parts(world).open_session({.name = "d"}, ""));
  auto first = fakes::Must(session->SetImages({{"a", ""}}));
  EXPECT_TRUE(fakes::Must(RepeatOriginals(*session, {{"a", ""}}, first, 3)).empty());
}

}  // namespace
}  // namespace mutatenn
