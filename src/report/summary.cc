// The end of a run for people: what became of the mutants by operator and device, how good the
// original is, where devices disagree.
#include <algorithm>

#include <fmt/format.h>

#include "analysis/findings.h"
#include "analysis/scores.h"
#include "judge/kill_rule.h"
#include "report/device_findings.h"
#include "report/device_noise.h"
#include "report/report.h"

namespace mutatenn {
namespace {

constexpr Verdict kColumns[] = {Verdict::kKilled,   Verdict::kCrashed,    Verdict::kTimeout,
                                Verdict::kSurvived, Verdict::kEquivalent, Verdict::kStillborn,
                                Verdict::kUnstable, Verdict::kPending};

// "75.0 %" and "30.1-95.4"; "-" where nothing is valid.
std::string Percent(const ScoreWithIntervals& of) {
  auto value = of.score.Value();
  return value ? fmt::format("{:.1f} %", 100 * *value) : "-";
}
std::string Bounds(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.1f}-{:.1f}", 100 * interval->low, 100 * interval->high) : "-";
}

std::string Row(const std::string& op, const std::string& device, size_t op_width,
                size_t device_width, const ScoreWithIntervals& of) {
  std::string row = fmt::format("  {:<{}}  {:<{}}", op, op_width, device, device_width);
  for (Verdict verdict : kColumns) row += fmt::format(" {:>10}", of.score.Count(verdict));
  return row +
         fmt::format(" {:>8} {:>5} {:>11}\n", Percent(of), of.score.valid, Bounds(of.mutants));
}

std::string Table(const CampaignView& view, const ModelView& model) {
  std::vector<Group> groups = ByOperator(model);
  size_t op_width = 9, device_width = 10;
  for (const Group& group : groups) op_width = std::max(op_width, group.name.size());
  for (const StoredDevice& device : view.devices)
    device_width = std::max(device_width, device.name.size());
  std::string text = fmt::format("  {:<{}}  {:<{}}", "operator", op_width, "device", device_width);
  for (Verdict verdict : kColumns) text += fmt::format(" {:>10}", VerdictName(verdict));
  text += fmt::format(" {:>8} {:>5} {:>11}\n", "score", "n", "95 %");
  groups.push_back({"all", AllMutants(model)});
  for (const Group& group : groups) {
    for (size_t d = 0; d < view.devices.size(); ++d) {
      text += Row(d == 0 ? group.name : "", view.devices[d].name, op_width, device_width,
                  ScoreOf(model, static_cast<int>(d), group.mutants));
    }
  }
  ScoreWithIntervals all = ScoreOf(model, std::nullopt, AllMutants(model));
  text += Row("", "any device", op_width, device_width, all);
  if (auto images = OverImages(view, model, std::nullopt, AllMutants(model)))
    text += fmt::format("  any device, over the images: {}\n", Bounds(images));
  if (all.population) {
    text += fmt::format("  of all {} mutants, from the {} of this sample: {:.1f} % ({})\n",
                        model.mutants.size() + static_cast<size_t>(model.unselected),
                        model.mutants.size(), 100 * all.population->score,
                        Bounds(all.population->interval));
  }
  if (all.guarded) {
    ScoreWithIntervals guarded{.score = *all.guarded, .mutants = all.guarded->Wilson()};
    text += fmt::format("  any device, accesses out of bounds counted as crashes: {} of {} ({})\n",
                        Percent(guarded), guarded.score.valid, Bounds(guarded.mutants));
  }
  if (all.score.marked > 0)
    text += fmt::format("  {} survivors are marked and in no score\n", all.score.marked);
  return text;
}

// By another kill rule: what the paper's would say.
std::string BesideTop1(const CampaignView& view, const ModelView& model) {
  if (view.rule == KillRule{}) return "";
  std::string text = "  kill rule " + KillRuleText(view.rule) + "; by top1:";
  for (size_t d = 0; d < view.devices.size(); ++d) {
    ScoreWithIntervals of{.score = Top1Score(model, static_cast<int>(d), AllMutants(model))};
    of.mutants = of.score.Wilson();
    text += fmt::format("{} {} of {} on {} ({})", d ? "," : "", Percent(of), of.score.valid,
                        view.devices[d].name, Bounds(of.mutants));
  }
  return text + "\n";
}

std::string Originals(const CampaignView& view, const ModelView& model) {
  std::string text;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    int ran = 0, known = 0, correct = 0;
    for (const auto& original : model.originals[d]) {
      if (!original) continue;
      ++ran;
      known += original->correct.has_value();
      correct += original->correct.value_or(false);
    }
    text += fmt::format("  original on {}: ran on {} of {} images", view.devices[d].name, ran,
                        model.images.size());
    text += known > 0 ? fmt::format(", right on {} of {}", correct, known) : ", truth not known";
    if (const auto floor = OutputFloor(view, model.stored.name, view.devices[d].name))
      text += fmt::format("; rounding alone changes its outputs by up to {:.3g}", *floor);
    text += "\n";
  }
  return text;
}

std::string Disagreement(const CampaignView& view, const ModelView& model) {
  std::string text;
  for (const DeviceComparison& c : model.comparisons) {
    text += fmt::format(
        "  {} against {}: original's label differs on {} of {} images; verdicts differ for {} of "
        "{} "
        "mutants, labels for {} mutants ({} of {} runs)",
        view.devices[static_cast<size_t>(c.base)].name,
        view.devices[static_cast<size_t>(c.evaluated)].name, c.originals_differing,
        c.originals_compared, c.verdicts_differ.size(), c.mutants_compared, c.labels_differ.size(),
        c.runs_differing, c.runs_compared);
    if (c.mean_rank_tau) text += fmt::format("; mean tau-b {:.4f}", *c.mean_rank_tau);
    if (c.mean_levenshtein) text += fmt::format("; mean Levenshtein {:.4f}", *c.mean_levenshtein);
    text += "\n";
  }
  return text;
}

std::string Flags(const CampaignView& view, const ModelView& model) {
  std::string text;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    int ran = 0, bounds = 0, nonfinite = 0, degenerate = 0, undecided = 0;
    for (const MutantView& mutant : model.mutants) {
      const DeviceResult& result = mutant.devices[d];
      ran += !result.outcomes.empty();
      bounds += result.out_of_bounds.has_value();
      nonfinite += result.nonfinite.value_or(false);
      degenerate += result.degenerate.value_or(false);
      undecided += !result.outcomes.empty() && !result.degenerate;
    }
    if (ran == 0) {
      text += fmt::format("  mutants on {}: not measured\n", view.devices[d].name);
      continue;
    }
    text += fmt::format("  mutants on {}: {} out of bounds, {} nonfinite, {} degenerate",
                        view.devices[d].name, bounds, nonfinite, degenerate);
    if (undecided > 0) text += fmt::format(" ({} undecided: not all images run)", undecided);
    text += "\n";
  }
  return text;
}

// What needed no run: proven equal to the original before it, or equal to another mutant.
std::string NotRun(const CampaignView& view, const ModelView& model) {
  std::string text;
  if (model.mutants.empty()) return text;
  const auto all = static_cast<double>(model.mutants.size());
  for (size_t d = 0; d < view.devices.size(); ++d) {
    int equivalent = 0, same = 0;
    for (const MutantView& mutant : model.mutants) {
      equivalent += mutant.devices[d].judgement.verdict == Verdict::kEquivalent;
      same += !mutant.devices[d].same_as.empty();
    }
    text += fmt::format(
        "  not run on {}: {} mutants equal to the original ({:.1f} %), {} equal to another mutant "
        "({:.1f} %)\n",
        view.devices[d].name, equivalent, 100 * equivalent / all, same, 100 * same / all);
  }
  return text;
}

// What another way to run the compiler changed by more than rounding.
std::string Findings(const CampaignView& view, const ModelView& model) {
  constexpr size_t kShown = 20;
  const std::vector<Finding> findings = FindingsOf(model);
  int asked = 0;
  for (const MutantView& mutant : model.mutants) asked += mutant.stored.level == "build";
  if (asked == 0) return "";
  std::string text = fmt::format(
      "  findings about the compiler: {}, of {} mutants of level build\n", findings.size(), asked);
  for (size_t i = 0; i < std::min(findings.size(), kShown); ++i) {
    const Finding& finding = findings[i];
    const MutantView& mutant = model.mutants[finding.mutant];
    const Json point =
        mutant.points.is_array() && !mutant.points.empty() ? mutant.points.front() : Json::object();
    text += fmt::format("    {} {} on {}: {} in {}", mutant.stored.op_id, mutant.stored.id,
                        view.devices[finding.device].name, point.value("block", ""),
                        point.value("role", ""));
    if (mutant.points.size() > 1) text += fmt::format(" and {} more", mutant.points.size() - 1);
    text += fmt::format("; {} differs by {:.3g}, tolerance {:.3g}\n", finding.image,
                        finding.max_abs_diff, finding.tolerance);
  }
  if (findings.size() > kShown)
    text += fmt::format("    and {} more: `report --json`\n", findings.size() - kShown);
  return text;
}

Status WriteSummary(const CampaignView& view, const std::string& destination) {
  std::string text;
  const std::vector<std::string> findings = TRY(DeviceFindings(view));
  if (!findings.empty()) text += "findings about devices:\n";
  for (const std::string& line : findings) text += "  " + line + "\n";
  for (const ModelView& model : view.models) {
    text += fmt::format("{}: {} images, {} mutants", model.stored.name, model.images.size(),
                        model.mutants.size());
    if (model.unselected > 0) {
      text += fmt::format(" (a sample of {})",
                          model.mutants.size() + static_cast<size_t>(model.unselected));
    }
    text += '\n';
    text += Table(view, model) + BesideTop1(view, model) + Originals(view, model) +
            Disagreement(view, model) + NotRun(view, model) + Flags(view, model) +
            Findings(view, model);
  }
  return WriteText(destination, text);
}

REPORT(.name = "summary", .summary = "tables for people; a file or -", .write = WriteSummary);

}  // namespace
}  // namespace mutatenn
