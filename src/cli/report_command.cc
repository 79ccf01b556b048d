// `mutatenn report`: one of the registered reports, written to a file, a folder or stdout.
#include <fmt/format.h>

#include "cli/campaign_use.h"
#include "report/report.h"

namespace mutatenn {
namespace {

class ReportCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
    app.add_option("--json", json_,
                   "Write the JSON report (docs/results.md) to this file; - = stdout");
    std::string names = "The report:";
    for (const Report* report : AllReports())
      names += fmt::format("\n{}: {}", report->name, report->summary);
    app.add_option("--format", format_, names + "\nWithout it: summary");
    app.add_option("--out", out_,
                   "Where to: a file, - = stdout (the default), or for a tree of files a folder "
                   "(default DIR/<format>)");
    AddKillOption(app, kill_);
  }
  Result<int> Run(const GlobalOptions&) override {
    // Not by CLI11's excludes(): it prints two of them in an order that changes from run to run.
    if (!json_.empty() && !(format_.empty() && out_.empty())) {
      return Fail(Code::kInvalidInput,
                  "--json FILE stands for --format json --out FILE; leave those out");
    }
    std::string format = !json_.empty() ? "json" : !format_.empty() ? format_ : "summary";
    std::string destination = json_.empty() ? out_ : json_;
    const Report* report = FindReport(format);
    if (report == nullptr) {
      std::vector<std::string> names;
      for (const Report* known : AllReports()) names.push_back(known->name);
      return Fail(Code::kInvalidInput, "--format: '", format, "' is no report; say '",
                  fmt::format("{}", fmt::join(names, "', '")), "'");
    }
    OpenCampaign open = TRY(OpenToRead(folder_, {.kill = kill_, .keep_fates = report->keep_fates}));
    if (destination.empty()) destination = report->tree ? folder_ + "/" + report->name : "-";
    TRY(report->write(open.view, destination));
    return 0;
  }

 private:
  std::string folder_, json_, format_, out_, kill_;
};

SUBCOMMAND(ReportCommand, .name = "report", .order = 5, .summary = "Write a report of a campaign");

}  // namespace
}  // namespace mutatenn
