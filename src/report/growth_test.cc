// Rounding floors and growth of the hand-written campaign, in JSON and on the page.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/synthetic_campaign.h"
#include "base/files.h"
#include "base/json.h"
#include "report/report.h"

namespace mutatenn {
namespace {

std::string Report(SyntheticCampaign& campaign, const char* format) {
  const std::string file = campaign.folder() + "/out";
  CampaignView view = ReadCampaign(campaign.store()).value();
  EXPECT_TRUE(FindReport(format)->write(view, file).ok());
  return ReadFile(file).value();
}

TEST(GrowthInReports, IsWhatTheStoreHas) {
  SyntheticCampaign campaign(SyntheticCampaign::Matrix::kFull);
  EXPECT_EQ(Report(campaign, "html").find("Error growth"), std::string::npos);
  ASSERT_TRUE(
      campaign.store()
          .PutGrowth({{"Net", "", "base", "host", 0, "a.jpg", "v0", "conv1", 2e-6, 2, 1e-6, 4e-6},
                      {"Net", "k1", "base", "", 0, "a.jpg", "v0", "conv1", 0, 2, 0, NAN},
                      {"Net", "k1", "base", "", 1, "a.jpg", "v1", "", 0.5, 1, 0.5, NAN, 3,
                       "k1 gave no answer within 1 s"}})
          .ok());
  ASSERT_TRUE(campaign.store().PutFloors({{"Net", "base", "v0", 0, 2, 4e-6, 4e-6, NAN, 2}}).ok());
  const Json growth = ParseJson(Report(campaign, "json"), "json").value()["models"][0]["growth"];
  ASSERT_EQ(growth.size(), 2u);
  EXPECT_TRUE(growth[0]["mutant"].is_null());
  EXPECT_EQ(growth[0]["against"], "host");
  EXPECT_EQ(growth[0]["steps"][0]["floor"], 4e-6);
  EXPECT_EQ(growth[1]["mutant"], "k1");
  EXPECT_TRUE(growth[1]["against"].is_null());
  ASSERT_EQ(growth[1]["steps"].size(), 2u);
  EXPECT_TRUE(growth[1]["steps"][0]["floor"].is_null());
  EXPECT_EQ(growth[1]["steps"][1]["total"], 0.5);
  EXPECT_EQ(growth[1]["steps"][1]["nonfinite"], 3);
  EXPECT_EQ(growth[1]["steps"][1]["died"], "k1 gave no answer within 1 s");

  const std::string page = Report(campaign, "html");
  for (const char* expected :
       {"id=\"growth-0\"><h2>Error growth", "<figure data-mutant=\"k1\">",
        "The original on host against base, on a.jpg", "k1 gave no answer within 1 s",
        // 0.5 of 1 is a third of a decade below 1: (1 - (9 - 0.301) / 9) * 150 + 8 = 13.
        "d=\"M60 158L760 13\"", "Rounding floors of the steps on base",
        "<td>v0</td><td>0</td><td>2</td><td>4e-06</td>", "Rounding floors on host: not measured."})
    EXPECT_NE(page.find(expected), std::string::npos) << expected;
}

}  // namespace
}  // namespace mutatenn
