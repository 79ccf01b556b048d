// `mutatenn mark`: writes down why a mutant may survive, in a text file for version control.
#include <fmt/format.h>

#include "analysis/scores.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class MarkCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    AddMutantArguments(app, folder_, mutant_);
    app.add_option("--as", kind_,
                   "equivalent: behaves as the original for every input; accepted: survives, and "
                   "may")
        ->required();
    app.add_option("--reason", reason_, "Why, in one line")->required();
  }
  Result<int> Run(const GlobalOptions&) override {
    std::optional<Mark::Kind> kind = MarkFromName(kind_);
    if (!kind)
      return Fail(Code::kInvalidInput, "--as: '", kind_, "'; say 'equivalent' or 'accepted'");
    size_t text = reason_.find_first_not_of(" \t");
    if (text == std::string::npos || reason_.find('\n') != std::string::npos)
      return Fail(Code::kInvalidInput, "--reason: one line that says why");
    OpenCampaign open = TRY(OpenToRead(folder_));
    FoundMutant found = TRY(FindMutant(open.view, folder_, mutant_));
    Mark mark{found.mutant->stored.id, *kind, reason_.substr(text)};
    if (Detected(OverallVerdict(*found.mutant))) {
      return Fail(Code::kInvalidInput, folder_, ": mutant ", mark.mutant,
                  " was detected; a mark says why one survives");
    }
    TRY(WriteMark(folder_, mark));
    fmt::print("{}: {} {}\n", MarksPath(folder_), mark.mutant, kind_);
    return 0;
  }

 private:
  std::string folder_, mutant_, kind_, reason_;
};

SUBCOMMAND(MarkCommand, .name = "mark", .order = 9,
           .summary = "Say why a survivor may survive; it leaves the score");

}  // namespace
}  // namespace mutatenn
