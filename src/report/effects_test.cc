// Silent and loud runs, and rules other than top1, in the reports of the hand-written campaign.
#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"
#include "base/files.h"
#include "base/json.h"
#include "judge/kill_rule.h"
#include "report/report.h"

namespace mutatenn {
namespace {

std::string Text(const std::string& path) { return ReadFile(path).value(); }

TEST(EffectsInReports, RankSilentRuns) {
  SyntheticCampaign campaign(SyntheticCampaign::Matrix::kFull);
  const std::string file = campaign.folder() + "/out";
  CampaignView view = ReadCampaign(campaign.store()).value();
  ASSERT_TRUE(FindReport("json")->write(view, file).ok());
  Json model = ParseJson(Text(file), file).value()["models"][0];
  EXPECT_EQ(DumpJson(model["noise"]), R"({"base":0.0,"host":1.0})");
  const Json& base = model["effects"]["base"];
  EXPECT_EQ(base["silent"], 2);
  EXPECT_EQ(base["loud"], 3);
  EXPECT_EQ(
      DumpJson(base["worst"]),
      R"([{"mutant":"k1","weight":1.0,"total":2.0,"images":2,"image":"a.jpg","from":2,"to":7,)"
      R"("from_group":"2","to_group":"7"}])");
  EXPECT_EQ(DumpJson(model["scores"]["top1"]["base"]["score"]), "0.75");
}

TEST(EffectsInReports, ForPeopleShowTop1BesideAnotherRule) {
  SyntheticCampaign campaign(SyntheticCampaign::Matrix::kFull);
  ReadOptions options{.rule = ParseKillRule("accept:max_label_changes=4").value()};
  CampaignView view = ReadCampaign(campaign.store(), options).value();
  const std::string file = campaign.folder() + "/out";
  ASSERT_TRUE(FindReport("markdown")->write(view, file).ok());
  EXPECT_NE(Text(file).find("| base | 50.0 % | 4 |"), std::string::npos) << Text(file);
  EXPECT_NE(Text(file).find("score by `top1`"), std::string::npos);
  EXPECT_NE(Text(file).find("| base | 75.0 % | 4 |"), std::string::npos);
  EXPECT_NE(Text(file).find("Runs on base: 2 silent, 3 loud"), std::string::npos);
  ASSERT_TRUE(FindReport("html")->write(view, file).ok());
  EXPECT_NE(Text(file).find("Scores by the rule top1"), std::string::npos);
  EXPECT_NE(Text(file).find("Silent mislabels"), std::string::npos);
}

}  // namespace
}  // namespace mutatenn
