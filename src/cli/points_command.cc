// `mutatenn points`: where the configuration's operators apply, a line a point, or how many by
// operator and target; generates no code, runs nothing and needs no device.
#include <fmt/format.h>

#include <map>

#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class PointsCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("CONFIG", config_, "The campaign's configuration")->required();
    app.add_flag("--json", json_, "One JSON object a line");
    app.add_flag("--counts", counts_, "Only how many, by operator and target");
  }
  Result<int> Run(const GlobalOptions& global) override {
    Config config = TRY(ReadConfig(config_, RegisteredOperators()));
    Progress progress = Progress::ForStderr(global.verbosity);
    CampaignParts parts = RealParts();
    parts.start_generator = [start = parts.start_generator](GeneratorOptions options) {
      options.compile = false;
      return start(options);
    };
    std::vector<ModelPreview> previews = TRY(PreviewCampaign(config, parts, progress));
    progress.End();
    for (const ModelPreview& preview : previews) {
      for (const PointsOfUse& use : preview.points) {
        if (counts_) {
          PrintCounts(preview.model, use);
          continue;
        }
        if (!json_)
          fmt::print("{}: {}: {} points\n", preview.model, OperatorKey(use.use), use.points.size());
        for (size_t i = 0; i < use.points.size(); ++i) Print(preview.model, use, i);
      }
    }
    return 0;
  }

 private:
  // A point of level graph or code is one on every target; a lowered one is its target's.
  void PrintCounts(const std::string& model, const PointsOfUse& use) const {
    std::map<std::string, size_t> counts;
    for (const MutationPoint& point : use.points) ++counts[point.target];
    if (counts.empty()) counts[""] = 0;
    for (const auto& [target, count] : counts) {
      if (json_)
        fmt::print("{}\n", DumpJson({{"model", model},
                                     {"operator", OperatorKey(use.use)},
                                     {"target", target},
                                     {"points", count}}));
      else
        fmt::print("{:20} {:8} {:24} {}\n", model, count, target.empty() ? "every target" : target,
                   OperatorKey(use.use));
    }
  }

  void Print(const std::string& model, const PointsOfUse& use, size_t number) const {
    const MutationPoint& point = use.points[number];
    if (json_) {
      Json line = {{"model", model}, {"operator", use.use.id}, {"number", number}};
      line.update(point.ToJson());
      fmt::print("{}\n", DumpJson(line));
      return;
    }
    std::string block =
        point.block.empty() ? "" : fmt::format(" block {} match {}", point.block, point.match);
    std::string variant = point.variant == 0 ? "" : fmt::format(" variant {}", point.variant);
    fmt::print("  {:4}  #{:<4} {}{}{}  [{}]\n", number, point.index, point.role, block, variant,
               fmt::join(point.layers, ", "));
  }

  std::string config_;
  bool json_ = false, counts_ = false;
};

SUBCOMMAND(PointsCommand, .name = "points", .order = 7,
           .summary = "List the mutation points of a configuration's models, running nothing");

}  // namespace
}  // namespace mutatenn
