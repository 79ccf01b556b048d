// `mutatenn analyze`: judges what the store holds, again, prints the summary and checks limits.
#include <fmt/format.h>

#include "analysis/gates.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class AnalyzeCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
    AddKillOption(app, kill_);
    app.add_option("--min-score", scores_,
                   "Exit with status 7 unless the lower bound of the score's interval is at least "
                   "this (0 to 1); or KIND:NAME=SCORE with KIND from device, operator, category, "
                   "kernel, layer, class. May be given several times")
        ->allow_extra_args(false);
    disagreement_option_ =
        app.add_option("--max-disagreement", disagreement_,
                       "Exit with status 7 when devices disagree on the verdict or a label of more "
                       "than this share of the mutants");
  }
  Result<int> Run(const GlobalOptions&) override {
    std::vector<Gate> gates;
    for (const std::string& text : scores_) gates.push_back(TRY(ParseScoreGate(text)));
    if (disagreement_option_->count() > 0) {
      if (!(disagreement_ >= 0 && disagreement_ <= 1))
        return Fail(Code::kInvalidInput, "--max-disagreement: say a share from 0 to 1");
      gates.push_back({Gate::Of::kDisagreement, "", disagreement_});
    }
    OpenCampaign open = TRY(OpenToRead(folder_, {.kill = kill_}));
    TRY(PrintSummary(open.view));
    bool passed = true;
    for (const GateResult& result : CheckGates(open.view, gates)) {
      fmt::print("{}: {}\n", result.passed ? "passed" : "FAILED", result.text);
      passed &= result.passed;
    }
    return passed ? 0 : kExitGateFailed;
  }

 private:
  std::string folder_, kill_;
  std::vector<std::string> scores_;
  double disagreement_ = 0;
  CLI::Option* disagreement_option_ = nullptr;
};

SUBCOMMAND(AnalyzeCommand, .name = "analyze", .order = 4,
           .summary = "Judge what was measured, print the summary, check limits");

}  // namespace
}  // namespace mutatenn
