// The hand-written campaign against changed copies of itself.
#include "analysis/campaign_diff.h"

#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"

namespace mutatenn {
namespace {

using Matrix = SyntheticCampaign::Matrix;

constexpr const char* kProgram =
    R"({"kernels":{"K1":{"key":"K1","role":"conv","code":"c1"},)"
    R"("K2":{"key":"K2","role":"add","code":"c2"},"K3":{"key":"K3","role":"mul","code":"c3"}}})";
constexpr const char* kOtherProgram =
    R"({"kernels":{"K1":{"key":"K1","role":"conv","code":"c1"},)"
    R"("K2":{"key":"K2","role":"add","code":"XX"},"K4":{"key":"K4","role":"div","code":"c4"}}})";

TEST(CampaignDiff, OfItselfIsEmpty) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = ReadCampaign(campaign.store()).value();
  Json diff = DiffCampaigns(view, view).value();
  EXPECT_TRUE(diff["settings"].empty());
  const Json& model = diff["models"][0];
  EXPECT_TRUE(model["same_file"].get<bool>());
  EXPECT_EQ(model["mutants"]["matched_by_id"], 6);
  EXPECT_EQ(model["mutants"]["verdict_changes"].size(), 0u);
  EXPECT_EQ(model["devices"]["base"]["original"]["images_compared"], 4);
  EXPECT_EQ(model["devices"]["base"]["score_before"], model["devices"]["base"]["score_after"]);
}

TEST(CampaignDiff, SaysWhatChanged) {
  SyntheticCampaign first(Matrix::kFull), second(Matrix::kFull);
  ASSERT_TRUE(first.store().PutPrograms({{"Net", 0, kProgram}}).ok());
  ASSERT_TRUE(second.store().PutPrograms({{"Net", 0, kOtherProgram}}).ok());
  ASSERT_TRUE(second.store().SetMeta("tvm_version", "0.27.0").ok());
  // s1 is killed on base now; the original says another label for d.jpg; c.jpg is another file.
  ASSERT_TRUE(
      second.store()
          .PutFates({{"Net", "s1", "base", "a.jpg", "ok", SyntheticCampaign::Top(8)}}, std::nullopt)
          .ok());
  ASSERT_TRUE(
      second.store().PutOriginals({{"Net", "base", "d.jpg", "[[3,4.0],[4,1.0]]", 0.1}}).ok());
  ASSERT_TRUE(second.store().PutImages({{"Net", "c.jpg", "p/c.jpg", "other", 1, 0, "i/c"}}).ok());
  CampaignView before = ReadCampaign(first.store()).value();
  CampaignView after = ReadCampaign(second.store()).value();
  // k1 got another id; its place is its own.
  for (CampaignView* view : {&before, &after}) {
    for (MutantView& mutant : view->models[0].mutants) mutant.stored.place = mutant.stored.id;
  }
  after.models[0].mutants[0].stored.id = "k2";
  Json diff = DiffCampaigns(before, after).value();
  EXPECT_EQ(DumpJson(diff["settings"]), R"({"tvm_version":["0.26.0","0.27.0"]})");
  const Json& base = diff["models"][0]["devices"]["base"];
  EXPECT_EQ(
      DumpJson(base["kernels"]),
      R"({"equal":1,"changed":[{"key":"K2","role":"add"}],"code_not_known":0,"gone":[{"key":"K3","role":"mul"}],)"
      R"("new":[{"key":"K4","role":"div"}]})");
  EXPECT_EQ(base["original"]["images_compared"], 3);
  EXPECT_EQ(DumpJson(base["original"]["labels_differ"]), R"(["d.jpg"])");
  EXPECT_EQ(base["original"]["largest_difference_of_first_score"], 1.5);
  EXPECT_EQ(DumpJson(base["original"]["images_with_other_content"]), R"(["c.jpg"])");
  const Json& mutants = diff["models"][0]["mutants"];
  EXPECT_EQ(mutants["matched_by_id"], 5);
  EXPECT_EQ(mutants["matched_by_place"], 1);
  EXPECT_EQ(mutants["only_before"], 0);
  bool found = false;
  for (const Json& change : mutants["verdict_changes"]) {
    if (change["before"] != "s1") continue;
    found = true;
    EXPECT_EQ(change["verdict_before"], "survived");
    EXPECT_EQ(change["verdict_after"], "killed");
    EXPECT_EQ(change["device"], "base");
  }
  EXPECT_TRUE(found);
  std::string text = DiffText(diff);
  EXPECT_NE(text.find("kernels: 1 equal, 1 with other code, 1 gone, 1 new"), std::string::npos)
      << text;
  EXPECT_NE(text.find("s1 on base: survived -> killed (matched by id; s1)"), std::string::npos);
}

TEST(CampaignDiff, EqualPlacesAreNotGuessed) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView before = ReadCampaign(campaign.store()).value();
  CampaignView after = before;
  for (MutantView& mutant : after.models[0].mutants) mutant.stored.id += "x";  // all at one place
  const Json mutants = DiffCampaigns(before, after).value()["models"][0]["mutants"];
  EXPECT_EQ(mutants["matched_by_place"], 0);
  EXPECT_EQ(mutants["only_before"], 6);
  EXPECT_EQ(mutants["only_after"], 6);
}

}  // namespace
}  // namespace mutatenn
