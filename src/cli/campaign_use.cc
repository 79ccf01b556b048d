// Opening a campaign to read it, and what its end means for the exit status.
#include "cli/campaign_use.h"

#include <cstdio>
#include <filesystem>

#include "report/report.h"

namespace mutatenn {

Result<OpenCampaign> OpenToRead(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(StorePath(folder), error)) {
    return Fail(Code::kNotFound, folder, ": holds no campaign; `mutatenn run CONFIG --out ", folder,
                "` makes one");
  }
  OpenCampaign open;
  open.store = TRY(Store::OpenReadOnly(StorePath(folder)));
  open.view = TRY(ReadCampaign(*open.store));
  return open;
}

Status PrintSummary(const std::string& folder) {
  const Report* summary = FindReport("summary");
  CHECK(summary != nullptr, "the report `summary` exists");
  OpenCampaign open = TRY(OpenToRead(folder));
  return summary->write(open.view, "-");
}

int StatusOf(const CampaignOutcome& outcome, const std::string& again) {
  if (outcome.interrupted) {
    std::fprintf(stderr, "mutatenn: stopped; go on with: %s\n", again.c_str());
    return kExitInterrupted;
  }
  if (outcome.left_pending > 0) {
    std::fprintf(stderr, "mutatenn: %d mutants are left pending (%s); run them with: %s\n",
                 outcome.left_pending, outcome.pending_reason.c_str(), again.c_str());
    return ExitStatus(Code::kUnavailable);
  }
  return 0;
}

}  // namespace mutatenn
