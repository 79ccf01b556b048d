// The campaign in one comment of a pull request: scores, what survived nearest to a kill, where
// devices disagree.
#include <algorithm>

#include <fmt/format.h>

#include "analysis/devices.h"
#include "analysis/kill_matrix.h"
#include "analysis/scores.h"
#include "analysis/severity.h"
#include "judge/kill_rule.h"
#include "report/report.h"

namespace mutatenn {
namespace {

constexpr size_t kListed = 10;  // of survivors and disagreements; a comment has a size limit

// In a cell: no line ends, no column ends, no markup.
std::string Cell(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '\n' || c == '\r') c = ' ';
    if (std::string_view("|`*_<>[]\\").find(c) != std::string_view::npos) safe += '\\';
    safe += c;
  }
  return safe;
}

std::string ScoreCells(const ScoreWithIntervals& of) {
  auto value = of.score.Value();
  if (!value) return "not measured | 0 | ";
  return fmt::format("{:.1f} % | {} | {:.1f}-{:.1f} %", 100 * *value, of.score.valid,
                     100 * of.mutants->low, 100 * of.mutants->high);
}

std::string Scores(const CampaignView& view, const ModelView& model) {
  std::string text =
      "| device | score | n | 95 % interval | survived | not valid |\n|---|---|---|---|---|---|\n";
  auto row = [&](const std::string& name, const ScoreWithIntervals& of) {
    text += fmt::format("| {} | {} | {} | {} |\n", Cell(name), ScoreCells(of),
                        of.score.Count(Verdict::kSurvived), of.score.Total() - of.score.valid);
  };
  MutantSet all = AllMutants(model);
  for (size_t d = 0; d < view.devices.size(); ++d)
    row(view.devices[d].name, ScoreOf(model, static_cast<int>(d), all));
  ScoreWithIntervals overall = ScoreOf(model, std::nullopt, all);
  row("any device", overall);
  if (overall.population) {
    text += fmt::format(
        "\nOf all {} mutants, from the {} of this sample: {:.1f} % ({:.1f}-{:.1f} %).\n",
        model.mutants.size() + static_cast<size_t>(model.unselected), model.mutants.size(),
        100 * overall.population->score, 100 * overall.population->interval.low,
        100 * overall.population->interval.high);
  }
  if (view.rule != KillRule{}) {
    text += "\n| device | score by `top1` | n | 95 % interval |\n|---|---|---|---|\n";
    for (size_t d = 0; d < view.devices.size(); ++d) {
      ScoreWithIntervals of{.score = Top1Score(model, static_cast<int>(d), all)};
      of.mutants = of.score.Wilson();
      text += fmt::format("| {} | {} |\n", Cell(view.devices[d].name), ScoreCells(of));
    }
  }
  text += "\n| operator | score | n | 95 % interval |\n|---|---|---|---|\n";
  for (const Group& group : ByOperator(model)) {
    text += fmt::format("| {} | {} |\n", Cell(group.name),
                        ScoreCells(ScoreOf(model, std::nullopt, group.mutants)));
  }
  return text;
}

std::string Survivors(const CampaignView& view, const ModelView& model) {
  std::string text;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    std::vector<NearSurvivor> survivors = NearSurvivors(model, static_cast<int>(d));
    if (survivors.empty()) continue;
    text += fmt::format(
        "\n<details><summary>{} survivors on {}</summary>\n\n"
        "| mutant | place | margin | nearest image |\n|---|---|---|---|\n",
        survivors.size(), Cell(view.devices[d].name));
    for (size_t i = 0; i < std::min(survivors.size(), kListed); ++i) {
      const MutantView& mutant = model.mutants[survivors[i].mutant];
      const StoredImage& image = model.images[static_cast<size_t>(survivors[i].nearest[0])];
      text += fmt::format("| {} | {} | {:.4g} | {} |\n", mutant.stored.id,
                          Cell(mutant.stored.place), survivors[i].margin, Cell(image.name));
    }
    text += survivors.size() > kListed ? "\nThose nearest to being killed.\n" : "";
    text += "\n</details>\n";
  }
  return text;
}

// Runs with another label and a finite output: nothing tells their user.
std::string Silent(const CampaignView& view, const ModelView& model) {
  const SeverityTable table = SeverityTable::Of(view, model);
  std::string text;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    const std::vector<int> counts = CountEffects(model, d);
    const std::vector<SilentMutant> ranked = RankSilent(model, d, table);
    if (std::all_of(counts.begin(), counts.end(), [](int count) { return count == 0; })) {
      text += fmt::format("\nRuns on {}: not measured.\n", Cell(view.devices[d].name));
      continue;
    }
    text += fmt::format("\nRuns on {}: {} silent, {} loud, {} none.\n", Cell(view.devices[d].name),
                        counts[static_cast<size_t>(Effect::kSilent)],
                        counts[static_cast<size_t>(Effect::kLoud)],
                        counts[static_cast<size_t>(Effect::kNone)]);
    if (ranked.empty()) continue;
    text += fmt::format(
        "\n<details><summary>{} mutants mislabel silently on {}</summary>\n\n"
        "| mutant | place | weight | worst image | label | images |\n|---|---|---|---|---|---|\n",
        ranked.size(), Cell(view.devices[d].name));
    for (size_t i = 0; i < std::min(ranked.size(), kListed); ++i) {
      const SilentMutant& silent = ranked[i];
      const MutantView& mutant = model.mutants[silent.mutant];
      text += fmt::format(
          "| {} | {} | {:g} | {} | {} -> {} | {} |\n", mutant.stored.id, Cell(mutant.stored.place),
          silent.weight, Cell(model.images[static_cast<size_t>(silent.image)].name),
          Cell(table.Name(silent.from)), Cell(table.Name(silent.to)), silent.images);
    }
    text += ranked.size() > kListed ? "\nThe worst of them.\n\n</details>\n" : "\n</details>\n";
  }
  return text;
}

std::string Devices(const CampaignView& view, const ModelView& model) {
  if (view.devices.size() < 2) return "";
  std::vector<Disagreement> ranked = Disagreements(SpreadsOf(model));
  std::string text =
      fmt::format("\nDevices disagree on {} of {} mutants.\n", ranked.size(), model.mutants.size());
  if (ranked.empty()) return text;
  text += "\n| mutant | place | images | verdicts |\n|---|---|---|---|\n";
  for (size_t i = 0; i < std::min(ranked.size(), kListed); ++i) {
    const MutantView& mutant = model.mutants[ranked[i].mutant];
    text += fmt::format("| {} | {} | {} of {} | {} |\n", mutant.stored.id,
                        Cell(mutant.stored.place), ranked[i].spread.disagreeing,
                        ranked[i].spread.images, Cell(VerdictsText(view, mutant)));
  }
  return text;
}

Status WriteMarkdown(const CampaignView& view, const std::string& destination) {
  std::string text;
  for (const ModelView& model : view.models) {
    text += fmt::format("### Mutation testing of {}\n\n{} mutants, {} images, kill rule `{}`.\n\n",
                        Cell(model.stored.name), model.mutants.size(), model.images.size(),
                        KillRuleText(view.rule));
    text +=
        Scores(view, model) + Silent(view, model) + Survivors(view, model) + Devices(view, model);
  }
  return WriteText(destination, text);
}

REPORT(.name = "markdown", .summary = "one comment for a pull request; a file or -",
       .write = WriteMarkdown);

}  // namespace
}  // namespace mutatenn
