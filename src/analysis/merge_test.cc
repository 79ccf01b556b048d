// The hand-written campaign cut into parts and joined again.
#include "analysis/merge.h"

#include <gtest/gtest.h>

#include "analysis/scores.h"
#include "analysis/synthetic_campaign.h"

namespace mutatenn {
namespace {

using Matrix = SyntheticCampaign::Matrix;

// A loop over Result::value() itself would outlive the result.
template <class T>
T Rows(Result<T> rows) {
  return std::move(rows).value();
}

// A copy of the campaign with the fates of one device only, and its target as index 0.
std::unique_ptr<Store> Part(Store& whole, const std::string& folder, const std::string& device) {
  auto part = Store::Open(StorePath(folder)).value();
  for (const auto& [key, value] : Rows(whole.AllMeta()))
    EXPECT_TRUE(part->SetMeta(key, value).ok());
  EXPECT_TRUE(part->PutModels(whole.Models().value()).ok());
  EXPECT_TRUE(part->PutImages(whole.Images("Net").value()).ok());
  EXPECT_TRUE(part->PutMutants(whole.Mutants("Net").value()).ok());
  EXPECT_TRUE(part->PutOperatorUses(whole.OperatorUses().value()).ok());
  int target = -1;
  for (StoredDevice row : Rows(whole.Devices())) {
    if (row.name != device) continue;
    target = row.target_index;
    row.target_index = 0;
    EXPECT_TRUE(part->PutDevices({row}).ok());
  }
  for (StoredBuild row : Rows(whole.Builds("Net"))) {
    if (row.target_index != target) continue;
    row.target_index = 0;
    EXPECT_TRUE(part->PutBuilds({row}).ok());
  }
  for (const StoredOriginal& row : Rows(whole.Originals("Net"))) {
    if (row.device != device) continue;
    EXPECT_TRUE(part->PutOriginals({row}).ok());
  }
  for (const StoredRepeat& row : Rows(whole.Repeats("Net"))) {
    if (row.device != device) continue;
    EXPECT_TRUE(part->PutRepeats({row}).ok());
  }
  if (device == "base") {
    EXPECT_TRUE(part->PutReferenceOutputs(whole.ReferenceOutputs("Net").value()).ok());
  }
  EXPECT_TRUE(part->PutFates(whole.Fates("Net", device).value(), std::nullopt).ok());
  return part;
}

class MergeTest : public testing::Test {
 protected:
  MergeTest()
      : whole_(Matrix::kFull),
        base_(Part(whole_.store(), base_folder_.path, "base")),
        host_(Part(whole_.store(), host_folder_.path, "host")),
        into_(Store::Open(StorePath(into_folder_.path)).value()) {}
  Status Merged() {
    return MergeCampaigns({{"base part", base_.get()}, {"host part", host_.get()}}, *into_);
  }
  SyntheticCampaign whole_;
  TemporaryFolder base_folder_, host_folder_, into_folder_;
  std::unique_ptr<Store> base_, host_, into_;
};

TEST_F(MergeTest, PartsGiveTheWhole) {
  const std::vector<StoredMutantRun> again = {{"Net", "k1", "base", "a.jpg", 2, "ok", 7}};
  ASSERT_TRUE(base_->PutMutantRuns(again).ok());
  ASSERT_TRUE(base_->PutFloors({{"Net", "base", "v", 0, 2, 0.5, 0.5, 0.25, 1}}).ok());
  ASSERT_TRUE(host_->PutFloors({{"Net", "host", "v", 0, 2, 0.75, 0.5, 0.75, 1}}).ok());
  ASSERT_TRUE(host_->PutGrowth({{"Net", "k1", "host", "", 0, "a.jpg", "v"}}).ok());
  ASSERT_TRUE(Merged().ok());
  ASSERT_EQ(into_->MutantRuns("Net", "base").value().size(), 1u);
  EXPECT_EQ(into_->MutantRuns("Net", "base").value()[0].label, 7);
  CampaignView whole = ReadCampaign(whole_.store()).value();
  CampaignView merged = ReadCampaign(*into_).value();
  ASSERT_EQ(merged.devices.size(), 2u);
  EXPECT_NE(merged.devices[0].target_index, merged.devices[1].target_index);
  EXPECT_EQ(merged.meta, whole.meta);
  const ModelView &a = whole.models[0], &b = merged.models[0];
  ASSERT_EQ(a.mutants.size(), b.mutants.size());
  for (size_t m = 0; m < a.mutants.size(); ++m) {
    EXPECT_EQ(a.mutants[m].stored.id, b.mutants[m].stored.id);
    for (size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(a.mutants[m].devices[d].judgement.reason, b.mutants[m].devices[d].judgement.reason);
      EXPECT_EQ(a.mutants[m].devices[d].outcomes.size(), b.mutants[m].devices[d].outcomes.size());
    }
  }
  EXPECT_EQ(b.uses[1].selected, 3);
  EXPECT_EQ(b.comparisons[0].runs_differing, a.comparisons[0].runs_differing);
  EXPECT_EQ(Rows(into_->Floors("Net", "base")).at(0).floor, 0.5);
  EXPECT_EQ(Rows(into_->Floors("Net", "host")).at(0).floor, 0.75);
  EXPECT_EQ(Rows(into_->Growth("Net")).size(), 1u);
  EXPECT_EQ(Rows(into_->Repeats("Net")).size(), 8u);
  EXPECT_EQ(Rows(into_->ReferenceOutputs("Net")).size(), 4u);
}

TEST_F(MergeTest, ShardsOfMutantsAddUp) {
  // Each part selected other mutants.
  for (StoredMutant row : Rows(whole_.store().Mutants("Net"))) {
    row.selected = row.id == "k1";
    ASSERT_TRUE(base_->PutMutants({row}).ok());
    row.selected = row.id == "k1" || row.id == "s1";
    ASSERT_TRUE(host_->PutMutants({row}).ok());
  }
  ASSERT_TRUE(Merged().ok());
  CampaignView merged = ReadCampaign(*into_).value();
  EXPECT_EQ(merged.models[0].mutants.size(), 2u);
  EXPECT_EQ(merged.models[0].uses[0].selected, 2);  // code.lt_to_le: k1 once, s1
}

TEST_F(MergeTest, OtherCampaignsAreRefused) {
  ASSERT_TRUE(host_->SetMeta("top_k", "7").ok());
  Status merged = Merged();
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().message.find("host part: the setting `top_k`"), 0u)
      << merged.error().message;
  ASSERT_TRUE(host_->SetMeta("top_k", "2").ok());
  ASSERT_TRUE(host_->PutImages({{"Net", "a.jpg", "p/a.jpg", "other", 2, 1, "i/a"}}).ok());
  EXPECT_FALSE(Merged().ok());
}

TEST_F(MergeTest, TwoFatesOfOneKeyAreRefused) {
  TemporaryFolder folder;
  auto again = Part(whole_.store(), folder.path, "base");
  ASSERT_TRUE(
      MergeCampaigns({{"a", base_.get()}, {"b", again.get()}}, *into_).ok());  // equal: fine
  StoredFate other{"Net", "s1", "base", "a.jpg", "ok", SyntheticCampaign::Top(8)};
  ASSERT_TRUE(again->PutFates({other}, std::nullopt).ok());
  Status merged = MergeCampaigns({{"a", base_.get()}, {"b", again.get()}}, *into_);
  ASSERT_FALSE(merged.ok());
  EXPECT_NE(merged.error().message.find("the fates of mutant s1 on a.jpg, device base"),
            std::string::npos)
      << merged.error().message;
}

}  // namespace
}  // namespace mutatenn
