// `mutatenn points`: where the configuration's operators apply, a line a point; runs nothing.
#include <fmt/format.h>

#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class PointsCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("CONFIG", config_, "The campaign's configuration")->required();
    app.add_flag("--json", json_, "One JSON object a line");
  }
  Result<int> Run(const GlobalOptions& global) override {
    Config config = TRY(ReadConfig(config_, RegisteredOperators()));
    Progress progress = Progress::ForStderr(global.verbosity);
    std::vector<ModelPreview> previews = TRY(PreviewCampaign(config, RealParts(), progress));
    progress.End();
    for (const ModelPreview& preview : previews) {
      for (const PointsOfUse& use : preview.points) {
        if (!json_)
          fmt::print("{}: {}: {} points\n", preview.model, OperatorKey(use.use), use.points.size());
        for (size_t i = 0; i < use.points.size(); ++i) Print(preview.model, use, i);
      }
    }
    return 0;
  }

 private:
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
  bool json_ = false;
};

SUBCOMMAND(PointsCommand, .name = "points", .order = 7,
           .summary = "List the mutation points of a configuration's models, running nothing");

}  // namespace
}  // namespace mutatenn
