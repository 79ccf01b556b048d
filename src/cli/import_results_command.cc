// `mutatenn import-results`: what `mutatenn-worker run` measured elsewhere, into its campaign.
#include <fmt/format.h>

#include "campaign/bundle.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

class ImportResultsCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
    app.add_option("RESULTS", file_, "The file that the bundle's run wrote")->required();
  }
  Result<int> Run(const GlobalOptions&) override {
    const ImportedResults imported = TRY(ImportResults(folder_, file_));
    fmt::print("{} fates\n", imported.fates);
    for (const std::string& finding : imported.findings) fmt::print("{}\n", finding);
    return 0;
  }

 private:
  std::string folder_, file_;
};

SUBCOMMAND(ImportResultsCommand, .name = "import-results", .order = 12,
           .summary = "Store the results of a bundle that ran on a machine of its own");

}  // namespace
}  // namespace mutatenn
