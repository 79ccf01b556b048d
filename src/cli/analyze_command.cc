// `mutatenn analyze`: judges what the store holds, again, and prints the summary.
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class AnalyzeCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
  }
  Result<int> Run(const GlobalOptions&) override {
    TRY(PrintSummary(folder_));
    return 0;
  }

 private:
  std::string folder_;
};

SUBCOMMAND(AnalyzeCommand, .name = "analyze", .order = 4,
           .summary = "Judge what was measured and print the summary");

}  // namespace
}  // namespace mutatenn
