// `mutatenn analyze`: judges what the store holds, again, prints the summary and checks limits.
#include <fmt/format.h>

#include "analysis/gates.h"
#include "cli/campaign_use.h"
#include "report/from_tree.h"

namespace mutatenn {
namespace {

class AnalyzeCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder");
    app.add_option("--from-tree", tree_,
                   "Instead of a campaign: a folder ROOT that the original tool wrote "
                   "(ROOT/DEVICE/VARIANT/mutations/ts_*/); writes its comparisons anew, with right "
                   "metrics");
    app.add_option("--out", out_, "With --from-tree: where to; default ROOT itself");
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
    if (!tree_.empty()) return FromTree();
    if (folder_.empty() || !out_.empty())
      return Fail(Code::kInvalidInput, folder_.empty() ? "DIR is missing; it names the campaign"
                                                       : "--out belongs to --from-tree");
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
  Result<int> FromTree() {
    if (!folder_.empty() || !kill_.empty() || !scores_.empty() || disagreement_option_->count() > 0)
      return Fail(Code::kInvalidInput, "--from-tree takes no campaign, rule or limit but --out");
    TreeCounts counts = TRY(JudgeTree(tree_, out_.empty() ? tree_ : out_));
    fmt::print("compared {} variants on {} devices over {} images\n", counts.variants,
               counts.devices, counts.images);
    return 0;
  }

  std::string folder_, kill_, tree_, out_;
  std::vector<std::string> scores_;
  double disagreement_ = 0;
  CLI::Option* disagreement_option_ = nullptr;
};

SUBCOMMAND(AnalyzeCommand, .name = "analyze", .order = 4,
           .summary = "Judge what was measured, print the summary, check limits");

}  // namespace
}  // namespace mutatenn
