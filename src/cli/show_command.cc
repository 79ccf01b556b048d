// `mutatenn show`: one mutant: where it is, its IR as a diff, its fates and its verdicts.
#include <fmt/format.h>

#include "cli/campaign_use.h"
#include "judge/top_json.h"
#include "report/device_noise.h"

namespace mutatenn {
namespace {

std::string TopText(const std::vector<Ranked>& top) {
  return top.empty() ? "-" : fmt::format("{} ({:.6g})", top.front().label, top.front().score);
}

void PrintDevice(const ModelView& model, const DeviceResult& result, const std::string& device,
                 size_t index, const std::optional<double>& floor) {
  const Judgement& judged = result.judgement;
  std::string flags;
  if (judged.degenerate) flags += " degenerate";
  if (judged.nonfinite) flags += " nonfinite";
  if (result.out_of_bounds) {
    flags += fmt::format(" out_of_bounds ({}, {}, byte {})", result.out_of_bounds->step,
                         result.out_of_bounds->buffer, result.out_of_bounds->offset);
  }
  fmt::print("\ndevice {}: {}{}{}\n", device, VerdictName(judged.verdict), flags,
             judged.reason.empty() ? "" : " - " + judged.reason);
  for (size_t i = 0; i < result.fates.size(); ++i) {
    const Fate& fate = result.fates[i];
    const auto& original = model.originals[index][static_cast<size_t>(result.outcomes[i].image)];
    fmt::print("  {}: {}, label {} for {}", fate.image, EndingName(fate.ending), TopText(fate.top),
               original ? TopText(original->top) : "-");
    if (fate.infected) {
      fmt::print(", {} steps differ from {} on, output by at most {:.3g}", fate.dirty_steps,
                 fate.first_diverging_layer.empty() ? fate.first_diverging_step
                                                    : fate.first_diverging_layer,
                 fate.max_abs_diff);
      if (floor) fmt::print(" (rounding alone: {:.3g})", *floor);
    }
    fmt::print(", {:.3f} s{}\n", fate.seconds, fate.detail.empty() ? "" : " (" + fate.detail + ")");
  }
}

class ShowCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override { AddMutantArguments(app, folder_, mutant_); }
  Result<int> Run(const GlobalOptions&) override {
    OpenCampaign open = TRY(OpenToRead(folder_, {.keep_fates = true}));
    FoundMutant found = TRY(FindMutant(open.view, folder_, mutant_));
    const StoredMutant& mutant = found.mutant->stored;
    fmt::print("mutant {}\nmodel {}\noperator {} ({}, level {})\nplace {}\n", mutant.id,
               mutant.model, mutant.op_key, mutant.category, mutant.level, mutant.place);
    for (const Json& point : found.mutant->points) fmt::print("point {}\n", DumpJson(point));
    TRY(PrintBuilds(open, mutant));
    for (size_t i = 0; i < open.view.devices.size(); ++i) {
      const std::string& device = open.view.devices[i].name;
      PrintDevice(*found.model, found.mutant->devices[i], device, i,
                  OutputFloor(open.view, mutant.model, device));
    }
    return 0;
  }

 private:
  // One diff for all targets with the same one; code mutants of other schedules differ.
  Status PrintBuilds(OpenCampaign& open, const StoredMutant& mutant) const {
    std::map<int, std::string> devices;
    for (const StoredDevice& device : open.view.devices) {
      std::string& names = devices[device.target_index];
      names += (names.empty() ? "" : ", ") + device.name;
    }
    std::vector<std::pair<std::string, std::string>> diffs;  // text, devices
    for (const auto& [target, names] : devices) {
      std::optional<StoredBuild> build = TRY(open.store->Build(mutant.model, mutant.id, target));
      std::string text = !build ? "not built yet\n" : "";
      if (build && build->state != "ok") text = build->state + ": " + build->reason + "\n";
      if (build) text += build->diff;
      if (!text.empty() && text.back() != '\n') text += "\n";
      auto same = std::find_if(diffs.begin(), diffs.end(),
                               [&](const auto& diff) { return diff.first == text; });
      if (same == diffs.end()) {
        diffs.emplace_back(text, names);
      } else {
        same->second += ", " + names;
      }
    }
    for (const auto& [text, names] : diffs) fmt::print("\nbuild for {}\n{}", names, text);
    return Ok();
  }

  std::string folder_, mutant_;
};

SUBCOMMAND(ShowCommand, .name = "show", .order = 8,
           .summary = "Show one mutant: its IR as a diff, its fates, its verdicts");

}  // namespace
}  // namespace mutatenn
