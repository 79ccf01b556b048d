// `mutatenn diff`: two campaigns, as before and after a change of compiler, model or images.
#include <cstdio>

#include "analysis/campaign_diff.h"
#include "base/files.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class DiffCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("BEFORE", before_, "A campaign's folder")->required();
    app.add_option("AFTER", after_, "Another's")->required();
    app.add_option("--json", json_, "Write all differences to this file, as JSON");
    AddKillOption(app, kill_);
  }
  Result<int> Run(const GlobalOptions&) override {
    OpenCampaign before = TRY(OpenToRead(before_, {.kill = kill_}));
    OpenCampaign after = TRY(OpenToRead(after_, {.kill = kill_}));
    Json diff = TRY(DiffCampaigns(before.view, after.view));
    if (!json_.empty()) TRY(WriteFile(json_, diff.dump(1) + "\n"));
    std::fputs(DiffText(diff).c_str(), stdout);
    return 0;
  }

 private:
  std::string before_, after_, json_, kill_;
};

SUBCOMMAND(DiffCommand, .name = "diff", .order = 9,
           .summary = "Compare two campaigns: kernels, outputs, scores, verdicts");

}  // namespace
}  // namespace mutatenn
