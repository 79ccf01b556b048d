// `mutatenn audit`: a sample of a campaign's fates done once more from nothing.
#include <fmt/format.h>

#include "campaign/audit.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

class AuditCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", options_.folder, "The campaign's folder")->required();
    app.add_option("--sample", options_.sample, "How many fates to redo")->capture_default_str();
    app.add_option("--seed", options_.seed, "Which ones: another seed, another sample")
        ->capture_default_str();
  }
  Result<int> Run(const GlobalOptions& global) override {
    Progress progress = Progress::ForStderr(global.verbosity);
    const Audit audit = TRY(AuditCampaign(options_, RealParts(), progress));
    int differ = 0;
    for (const AuditedFate& fate : audit.fates) {
      if (fate.difference.empty()) continue;
      ++differ;
      fmt::print("{} {} on {}, {}: {}\n", fate.model, fate.mutant, fate.device, fate.image,
                 fate.difference);
    }
    fmt::print("{} of {} fates redone, {} agree, {} do not\n", audit.fates.size(), audit.population,
               static_cast<int>(audit.fates.size()) - differ, differ);
    return differ == 0 ? 0 : kExitGateFailed;
  }

 private:
  AuditOptions options_;
};

SUBCOMMAND(AuditCommand, .name = "audit", .order = 9,
           .summary = "Redo a sample of fates from nothing and compare them with the stored ones");

}  // namespace
}  // namespace mutatenn
