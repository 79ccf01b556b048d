// `mutatenn growth`: how differences grow step by step, run again and stored.
#include <cmath>

#include <fmt/format.h>

#include "campaign/growth.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

// One line a comparison: what it is of, where it begins, what is left at the end.
void Print(const std::vector<StoredGrowth>& rows) {
  for (size_t begin = 0, end; begin < rows.size(); begin = end) {
    const StoredGrowth& first = rows[begin];
    const StoredGrowth* begins = nullptr;
    for (end = begin; end < rows.size(); ++end) {
      const StoredGrowth& row = rows[end];
      if (row.mutant != first.mutant || row.device != first.device || row.against != first.against)
        break;
      const bool beyond = row.local > row.floor || row.nonfinite > 0 || !row.died.empty();
      if (begins == nullptr && beyond) begins = &row;
    }
    const StoredGrowth& last = rows[end - 1];
    fmt::print("{} on {}, {}: {}", first.mutant.empty() ? "original" : "mutant " + first.mutant,
               first.mutant.empty() ? first.device + " and " + first.against : first.device,
               first.image,
               begins == nullptr
                   ? "no step differs by more than rounding"
                   : "from " + (begins->layer.empty() ? begins->step : begins->layer) + " on");
    if (last.died.empty())
      fmt::print(", output off by {:.3g} of {:.3g}\n", last.total, last.scale);
    else
      fmt::print(", {}\n", last.died);
  }
}

class GrowthCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", options_.folder, "The campaign's folder")->required();
    app.add_option("MUTANT", options_.mutants,
                   "Ids of mutants, or as many of their first digits as make them unique");
    app.add_option("--top", options_.top,
                   "Besides these so many more: first mutants on which devices disagree, then the "
                   "survivors nearest to being killed")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
  }
  Result<int> Run(const GlobalOptions& global) override {
    Progress progress = Progress::ForStderr(global.verbosity);
    const auto rows = TRY(MeasureGrowth(options_, RealParts(), progress));
    progress.End();
    Print(rows);
    return 0;
  }

 private:
  GrowthOptions options_{.top = 10};
};

SUBCOMMAND(GrowthCommand, .name = "growth", .order = 8,
           .summary =
               "Run originals and some mutants again, step by step, and store how their "
               "differences grow");

}  // namespace
}  // namespace mutatenn
