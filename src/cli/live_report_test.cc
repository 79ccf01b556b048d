// The page of a campaign that is not at its end.
#include "cli/live_report.h"

#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"
#include "base/files.h"

namespace mutatenn {
namespace {

TEST(LiveReport, IsWrittenAtItsIntervalOnly) {
  SyntheticCampaign campaign(SyntheticCampaign::Matrix::kEarly);
  const std::string file = campaign.folder() + "/page.html";
  LiveReport(campaign.folder(), file)();  // a minute has not passed
  EXPECT_FALSE(ReadFile(file).ok());
  LiveReport(campaign.folder(), file, 0)();
  EXPECT_NE(ReadFile(file).value().find("pending"), std::string::npos);
}

// What is wrong meanwhile is no trouble; at the end it is told.
TEST(LiveReport, FailsAtTheEndOnly) {
  LiveReport("/nonexistent", "/nonexistent/page.html", 0)();
  EXPECT_FALSE(WriteHtmlReport("/nonexistent", "/nonexistent/page.html").ok());
}

}  // namespace
}  // namespace mutatenn
