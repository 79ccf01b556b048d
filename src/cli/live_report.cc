// The registered report, at intervals.
#include "cli/live_report.h"

#include <algorithm>

#include "base/clock.h"
#include "cli/campaign_use.h"
#include "report/report.h"

namespace mutatenn {
namespace {

constexpr double kShare = 0.05;  // of the campaign's time

}  // namespace

Status WriteHtmlReport(const std::string& folder, const std::string& file) {
  OpenCampaign open = TRY(OpenToRead(folder));
  const Report* report = FindReport("html");
  CHECK(report != nullptr, "the report `html` exists");
  return report->write(open.view, file);
}

std::function<void()> LiveReport(const std::string& folder, const std::string& file,
                                 double interval_s) {
  return [folder, file, interval_s, next = SecondsNow() + interval_s]() mutable {
    const double start = SecondsNow();
    if (start < next) return;
    (void)WriteHtmlReport(folder, file);
    const double end = SecondsNow();
    next = end + std::max(interval_s, (end - start) / kShare);
  };
}

}  // namespace mutatenn
