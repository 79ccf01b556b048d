// Scores, verdicts, layers, devices and images as HTML tables.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/devices.h"
#include "analysis/kill_matrix.h"
#include "analysis/originals.h"
#include "analysis/severity.h"
#include "judge/kill_rule.h"
#include "report/device_findings.h"
#include "report/device_noise.h"
#include "report/html_parts.h"
#include "report/report.h"

namespace mutatenn::html {
namespace {

constexpr size_t kListed = 100;  // rows of a ranking

std::string ScoreRow(const CampaignView& view, const ModelView& model, const Group& group,
                     std::optional<int> device) {
  ScoreWithIntervals of = ScoreOf(model, device, group.mutants);
  std::string left_out = of.score.Total() > 0
                             ? Percent(1 - static_cast<double>(of.score.valid) / of.score.Total())
                             : "";
  return Row({group.name, device ? view.devices[static_cast<size_t>(*device)].name : "any",
              Percent(of.score.Value()), std::to_string(of.score.valid), Bounds(of.mutants),
              Bounds(OverImages(view, model, device, group.mutants)),
              std::to_string(of.score.Count(Verdict::kKilled)),
              std::to_string(of.score.Count(Verdict::kCrashed)),
              std::to_string(of.score.Count(Verdict::kTimeout)),
              std::to_string(of.score.Count(Verdict::kSurvived)),
              std::to_string(of.score.Count(Verdict::kEquivalent)),
              std::to_string(of.score.Count(Verdict::kStillborn)),
              std::to_string(of.score.Count(Verdict::kUnstable)),
              std::to_string(of.score.Count(Verdict::kPending)), std::to_string(of.score.marked),
              left_out});
}

std::string Scores(const CampaignView& view, const ModelView& model, const std::string& caption,
                   const std::vector<Group>& groups) {
  std::string rows;
  for (const Group& group : groups) {
    for (size_t d = 0; d < view.devices.size(); ++d)
      rows += ScoreRow(view, model, group, static_cast<int>(d));
    rows += ScoreRow(view, model, group, std::nullopt);
  }
  return Table(caption,
               Head({"", "device", "score", "n", "95 % over mutants", "95 % over images", "killed",
                     "crashed", "timeout", "survived", "equivalent", "stillborn", "unstable",
                     "pending", "marked", "left out"}),
               rows);
}

// Operators across, layers down; a cell is the score over all devices.
std::string HeatMap(const ModelView& model) {
  std::vector<Group> layers = ByLayer(model), operators = ByOperator(model);
  if (layers.empty()) return "<p class=\"soft\">No mutant is one layer's alone.</p>";
  std::set<size_t> of_layers;
  for (const Group& layer : layers) of_layers.insert(layer.mutants.begin(), layer.mutants.end());
  std::erase_if(operators, [&](const Group& op) {
    return std::none_of(op.mutants.begin(), op.mutants.end(),
                        [&](size_t mutant) { return of_layers.contains(mutant); });
  });
  std::string head = "<th>layer</th>", rows;
  for (const Group& op : operators) head += "<th>" + MarkupText(op.name) + "</th>";
  for (const Group& layer : layers) {
    rows += "<tr><th>" + MarkupText(layer.name) + "</th>";
    for (const Group& op : operators) {
      MutantSet both;
      std::set_intersection(layer.mutants.begin(), layer.mutants.end(), op.mutants.begin(),
                            op.mutants.end(), std::back_inserter(both));
      Score score = OverallScore(model, both);
      auto value = score.Value();
      rows += value ? fmt::format(
                          "<td class=\"n\" style=\"background:rgba(var(--heat),{:.2f})\">"
                          "{:.0f} % of {}<br><small>{}</small></td>",
                          *value * 0.55, 100 * *value, score.valid, Bounds(score.Wilson()))
                    : "<td></td>";
    }
    rows += "</tr>\n";
  }
  return Table("Share of the valid mutants of a layer and an operator that some device detects",
               head, rows);
}

// Runs with another label and a finite output: nothing tells their user.
std::string Silent(const CampaignView& view, const ModelView& model) {
  const SeverityTable table = SeverityTable::Of(view, model);
  std::string effects, rows;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    const std::vector<int> counts = CountEffects(model, d);
    auto count = [&](Effect effect) { return std::to_string(counts[static_cast<size_t>(effect)]); };
    const bool ran = std::any_of(counts.begin(), counts.end(), [](int n) { return n > 0; });
    effects += ran ? Row({view.devices[d].name, count(Effect::kSilent), count(Effect::kLoud),
                          count(Effect::kNone)})
                   : Row({view.devices[d].name, "not measured", "", ""});
    const std::vector<SilentMutant> ranked = RankSilent(model, d, table);
    for (size_t i = 0; i < std::min(ranked.size(), kListed); ++i) {
      const SilentMutant& silent = ranked[i];
      const MutantView& mutant = model.mutants[silent.mutant];
      rows += fmt::format(
          "<tr><td><a href=\"#m-{0}\">{0}</a></td><td class=\"p\">{1}</td><td>{2}</td><td "
          "class=\"n\">{3:g}</td><td>{4}</td><td>{5} to {6}</td><td class=\"n\">{7}</td></tr>\n",
          mutant.stored.id, MarkupText(mutant.stored.place), MarkupText(view.devices[d].name),
          silent.weight, MarkupText(model.images[static_cast<size_t>(silent.image)].name),
          MarkupText(table.Name(silent.from)), MarkupText(table.Name(silent.to)), silent.images);
    }
  }
  return Table(
             "Runs of mutants: silent = another label, finite output; loud = crash, timeout, NaN "
             "or Inf, hardly more than one label",
             Head({"device", "silent", "loud", "none"}), effects) +
         Table(fmt::format("Silent mislabels, worst first, up to {} a device", kListed),
               Head({"mutant", "place", "device", "weight", "worst image", "label", "images"}),
               rows);
}

std::string Where(const CampaignView& view, const std::vector<Spread>& spreads) {
  std::map<std::string, int> counts;
  for (const Spread& spread : spreads) {
    std::string name = SpreadName(spread.kind);
    if (spread.kind == Spread::Kind::kSome && spread.killed.size() == 1)
      name = "only on " + view.devices[static_cast<size_t>(spread.killed[0])].name;
    else if (spread.kind == Spread::Kind::kSome)
      name = "on some devices";
    ++counts[name];
  }
  std::string rows;
  for (const auto& [name, count] : counts) rows += Row({name, std::to_string(count)});
  return Table("Where mutants are killed, over the images that all devices ran",
               Head({"killed", "mutants"}), rows);
}

}  // namespace

std::string Overview(const CampaignView& view, const ModelView& model) {
  std::string text = fmt::format(
      "<p>{} mutants{}, {} images, {} devices. Kill rule <code>{}</code>, matrix {}.</p>\n",
      model.mutants.size(),
      model.unselected > 0
          ? fmt::format(" (a sample of {})",
                        model.mutants.size() + static_cast<size_t>(model.unselected))
          : "",
      model.images.size(), view.devices.size(), MarkupText(KillRuleText(view.rule)),
      view.full_matrix ? "full" : "early");
  ScoreWithIntervals all = ScoreOf(model, std::nullopt, AllMutants(model));
  if (all.population) {
    text += fmt::format("<p>Of all {} mutants, from the {} of this sample: {} ({}).</p>\n",
                        model.mutants.size() + static_cast<size_t>(model.unselected),
                        model.mutants.size(), Percent(all.population->score),
                        Bounds(all.population->interval));
  }
  if (all.guarded) {
    text += fmt::format("<p>With accesses out of bounds counted as crashes: {} of {} ({}).</p>\n",
                        Percent(all.guarded->Value()), all.guarded->valid,
                        Bounds(all.guarded->Wilson()));
  }
  text += Scores(view, model, "Scores of all mutants", {{"all", AllMutants(model)}});
  if (view.rule != KillRule{}) {
    std::string rows;
    for (size_t d = 0; d < view.devices.size(); ++d) {
      const Score score = Top1Score(model, static_cast<int>(d), AllMutants(model));
      rows += Row({view.devices[d].name, Percent(score.Value()), std::to_string(score.valid),
                   Bounds(score.Wilson())});
    }
    text +=
        Table("Scores by the rule top1", Head({"device", "score", "n", "95 % over mutants"}), rows);
  }
  text += "<h3>Silent and loud</h3>" + Silent(view, model);
  text += "<h3>By category</h3>" + Scores(view, model, "Scores by category", ByCategory(model));
  text += "<h3>By operator</h3>" + Scores(view, model, "Scores by operator", ByOperator(model));
  text += "<h3>Operators and layers</h3>" + HeatMap(model);
  return text;
}

// What the original is like on each device: how much it differs from itself and from the first.
static Result<std::string> Noise(const CampaignView& view, const ModelView& model) {
  struct Sum {
    int images = 0, runs = 0, other_labels = 0, unstable = 0;
    double spread = 0, reference = 0;
  };
  std::map<std::string, Sum> sums;
  auto larger = [](double a, double b) {
    return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
  };
  for (const StoredRepeat& repeat : TRY(view.store->Repeats(model.stored.name))) {
    Sum& sum = sums[repeat.device];
    ++sum.images;
    sum.runs = std::max(sum.runs, repeat.runs);
    sum.other_labels += !repeat.reference_label;
    sum.reference = larger(sum.reference, repeat.reference_diff);
    sum.unstable += !TRY(RepeatsOf(repeat)).Stable();
    for (const Json& spread : TRY(ParseJson(repeat.spread_json, "the stored spread")))
      sum.spread = larger(sum.spread, spread.is_number() ? spread.get<double>() : NAN);
  }
  auto number = [](double value) {
    return std::isnan(value) ? std::string("not finite") : fmt::format("{:.3g}", value);
  };
  std::string rows;
  for (const StoredDevice& device : view.devices) {
    const auto found = sums.find(device.name);
    if (found == sums.end()) {
      rows += Row({device.name, "not measured", "", "", "", "", ""});
      continue;
    }
    const Sum& sum = found->second;
    const auto floor = OutputFloor(view, model.stored.name, device.name);
    rows += Row({device.name, fmt::format("{} on {} images", sum.runs, sum.images),
                 sum.runs > 1 ? number(sum.spread) : "not measured",
                 floor ? number(*floor) : "not measured",
                 sum.runs > 1 ? std::to_string(sum.unstable) : "not measured",
                 number(sum.reference), std::to_string(sum.other_labels)});
  }
  return Table(
      "The original, run again and again before the first mutant",
      Head({"device", "runs", "noise: largest difference between runs",
            "rounding floor of the outputs", "images whose label changes",
            "largest difference to the first device", "labels that are not the first device's"}),
      rows);
}

Result<std::string> Devices(const CampaignView& view, const ModelView& model) {
  std::string rows, pairs, ranked;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    const StoredDevice& device = view.devices[d];
    int ran = 0;
    for (const auto& original : model.originals[d]) ran += original.has_value();
    rows += Row({device.name, device.target_json, device.cpu, device.tvm_version,
                 fmt::format("{} of {}", ran, model.images.size())});
  }
  std::string text = Table(
      "Devices", Head({"device", "target", "processor", "TVM", "original ran on images"}), rows);
  std::string found;
  for (const std::string& line : TRY(DeviceFindings(view))) found += Row({line});
  if (!found.empty()) text += Table("Findings about devices", Head({"finding"}), found);
  text += TRY(Noise(view, model)) + TRY(Floors(view, model));
  if (view.devices.size() < 2) return text;
  auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.4g}", *value) : std::string("not measured");
  };
  for (const DeviceComparison& c : model.comparisons) {
    pairs += Row({view.devices[static_cast<size_t>(c.base)].name,
                  view.devices[static_cast<size_t>(c.evaluated)].name,
                  fmt::format("{} of {}", c.originals_differing, c.originals_compared),
                  fmt::format("{} of {}", c.verdicts_differ.size(), c.mutants_compared),
                  fmt::format("{} of {}", c.runs_differing, c.runs_compared),
                  number(c.mean_rank_tau), number(c.mean_levenshtein), number(c.mean_d_mad)});
  }
  text += Table("Pairs of devices: how often they differ",
                Head({"device", "against", "original's label", "verdicts", "runs' labels",
                      "mean tau-b", "mean Levenshtein", "mean D_MAD"}),
                pairs);
  const std::vector<Spread> spreads = SpreadsOf(model);
  text += Where(view, spreads);
  std::vector<Disagreement> all = Disagreements(spreads);
  for (size_t i = 0; i < std::min(all.size(), kListed); ++i) {
    const MutantView& mutant = model.mutants[all[i].mutant];
    ranked += fmt::format(
        "<tr><td><a href=\"#m-{0}\">{0}</a></td><td class=\"p\">{1}</td><td class=\"n\">{2} "
        "of {3}</td><td>{4}</td></tr>\n",
        mutant.stored.id, MarkupText(mutant.stored.place), all[i].spread.disagreeing,
        all[i].spread.images, MarkupText(VerdictsText(view, mutant)));
  }
  return text + Table(fmt::format("Mutants on which devices disagree: {}, the first {} listed",
                                  all.size(), std::min(all.size(), kListed)),
                      Head({"mutant", "place", "images", "verdicts"}), ranked);
}

std::string Images(const CampaignView& view, const ModelView& model, size_t number,
                   const std::vector<std::string>& thumbnails) {
  std::string head = "<th></th><th>image</th><th>class</th>", rows;
  std::vector<std::vector<int>> kills(view.devices.size(), std::vector<int>(model.images.size()));
  std::vector<std::vector<int>> runs = kills;
  for (const MutantView& mutant : model.mutants) {
    for (size_t d = 0; d < view.devices.size(); ++d) {
      for (const Outcome& outcome : mutant.devices[d].outcomes) {
        ++runs[d][static_cast<size_t>(outcome.image)];
        kills[d][static_cast<size_t>(outcome.image)] += outcome.kills;
      }
    }
  }
  for (const StoredDevice& device : view.devices) {
    std::string name = MarkupText(device.name);
    head += "<th>label on " + name + "</th><th>margin</th><th>kills of runs on " + name + "</th>";
  }
  for (size_t i = 0; i < model.images.size(); ++i) {
    const StoredImage& image = model.images[i];
    // Its name stands beside it: nothing is lost without the picture.
    rows += "<tr><td>";
    if (!thumbnails[i].empty())
      rows += fmt::format("<img id=\"i-{}-{}\" alt=\"\" src=\"{}\">", number, i, thumbnails[i]);
    rows += "</td><td>" + MarkupText(image.name) + "</td><td>" +
            (image.truth < 0 ? std::string("not known") : std::to_string(image.truth)) + "</td>";
    for (size_t d = 0; d < view.devices.size(); ++d) {
      const auto& original = model.originals[d][i];
      bool known = original && !original->top.empty();
      rows += known ? fmt::format("<td class=\"n\">{}</td><td class=\"n\">{:.4g}</td>",
                                  original->top[0].label, Margin(original->top))
                    : "<td>not measured</td><td></td>";
      rows += runs[d][i] > 0 ? fmt::format("<td class=\"n\">{} of {}</td>", kills[d][i], runs[d][i])
                             : "<td>not measured</td>";
    }
    rows += "</tr>\n";
  }
  std::string text =
      Table("Images in their fixed order: smallest margin of the original first", head, rows);
  for (size_t d = 0; view.full_matrix && d < view.devices.size(); ++d) {
    KillMatrix matrix(model, static_cast<int>(d));
    std::string names;
    for (int image : GreedyImages(matrix))
      names += (names.empty() ? "" : ", ") + model.images[static_cast<size_t>(image)].name;
    auto smallest = SmallestImageSet(matrix);
    text += fmt::format(
        "<p>{}: {} images kill nothing; these kill all that is killed: {} "
        "(smallest possible number: {}).</p>\n",
        MarkupText(view.devices[d].name), IdleImages(matrix).size(),
        names.empty() ? "none" : MarkupText(names),
        smallest ? std::to_string(*smallest) : "not known");
  }
  return text;
}

}  // namespace mutatenn::html
