// Limits from text, and a campaign's figures against them.
#include "analysis/gates.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "analysis/devices.h"
#include "analysis/scores.h"
#include "base/number.h"

namespace mutatenn {
namespace {

constexpr std::array<std::pair<Gate::Of, const char*>, 6> kNames = {{
    {Gate::Of::kDevice, "device"},
    {Gate::Of::kOperator, "operator"},
    {Gate::Of::kCategory, "category"},
    {Gate::Of::kKernel, "kernel"},
    {Gate::Of::kLayer, "layer"},
    {Gate::Of::kClass, "class"},
}};

std::string Title(const Gate& gate) {
  if (gate.of == Gate::Of::kDisagreement) return "disagreement of devices";
  for (const auto& [of, name] : kNames) {
    if (of == gate.of) return fmt::format("score of {} {}", name, gate.name);
  }
  return "score";
}

GateResult NotMeasured(const std::string& title, const std::string& why) {
  return {false, title + ": not measured (" + why + ")"};
}

GateResult Judge(const std::string& title, const Gate& gate, const ScoreWithIntervals& of) {
  std::optional<double> bound = of.LowerBound();
  if (!bound) return NotMeasured(title, "no valid mutant");
  double score = of.population ? of.population->score : *of.score.Value();
  return {
      *bound >= gate.limit,
      fmt::format("{}: {:.4f} (n = {}), at least {:.4f} with 95 % confidence, {:g} is asked for",
                  title, score, of.score.valid, *bound, gate.limit)};
}

// The class's weakest device counts: its images must do on each.
GateResult JudgeClass(const CampaignView& view, const ModelView& model, const std::string& title,
                      const Gate& gate) {
  std::optional<GateResult> worst;
  double least = 2;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    for (const ClassScore& score : ByClass(model, static_cast<int>(d))) {
      if (std::to_string(score.truth) != gate.name || score.score.valid == 0) continue;
      ScoreWithIntervals of{.score = score.score, .mutants = score.score.Wilson()};
      if (*of.LowerBound() >= least) continue;
      least = *of.LowerBound();
      worst = Judge(title + " on " + view.devices[d].name, gate, of);
    }
  }
  return worst ? *worst : NotMeasured(title, "no image of it, or no mutant that ran on all images");
}

GateResult JudgeDisagreement(const ModelView& model, const std::string& title, const Gate& gate) {
  int compared = 0, differing = 0;
  for (const MutantView& mutant : model.mutants) {
    Spread spread = SpreadOf(mutant);
    if (spread.kind == Spread::Kind::kNotCompared) continue;
    ++compared;
    differing += spread.disagreeing > 0 || spread.verdicts_differ;
  }
  if (compared == 0) return NotMeasured(title, "no mutant ran on two devices");
  double share = static_cast<double>(differing) / compared;
  return {share <= gate.limit, fmt::format("{}: {:.4f} ({} of {} mutants), {:g} is accepted", title,
                                           share, differing, compared, gate.limit)};
}

GateResult Check(const CampaignView& view, const ModelView& model, const Gate& gate) {
  std::string title = model.stored.name + ", " + Title(gate);
  if (gate.of == Gate::Of::kDisagreement) return JudgeDisagreement(model, title, gate);
  if (gate.of == Gate::Of::kClass) return JudgeClass(view, model, title, gate);
  std::optional<int> device;
  MutantSet mutants = AllMutants(model);
  if (gate.of == Gate::Of::kDevice) {
    for (size_t d = 0; d < view.devices.size(); ++d) {
      if (view.devices[d].name == gate.name) device = static_cast<int>(d);
    }
    if (!device) return NotMeasured(title, "no such device");
  } else if (gate.of != Gate::Of::kAll) {
    std::vector<Group> groups = gate.of == Gate::Of::kOperator   ? ByOperator(model)
                                : gate.of == Gate::Of::kCategory ? ByCategory(model)
                                : gate.of == Gate::Of::kKernel   ? ByKernel(model)
                                                                 : ByLayer(model);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& g) { return g.name == gate.name; });
    if (group == groups.end()) return NotMeasured(title, "it has no mutants");
    mutants = group->mutants;
  }
  return Judge(title, gate, ScoreOf(model, device, mutants));
}

}  // namespace

Result<Gate> ParseScoreGate(const std::string& text) {
  Error malformed = Fail(Code::kInvalidInput, "--min-score '", text,
                         "': say a score from 0 to 1, or KIND:NAME=SCORE with KIND from device, "
                         "operator, category, kernel, layer, class");
  Gate gate;
  std::string number = text;
  size_t colon = text.find(':'), equals = text.rfind('=');
  if (colon != std::string::npos) {
    auto named = std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) {
      return text.substr(0, colon) == entry.second;
    });
    if (named == kNames.end() || equals == std::string::npos || equals < colon + 2)
      return malformed;
    gate.of = named->first;
    gate.name = text.substr(colon + 1, equals - colon - 1);
    number = text.substr(equals + 1);
  }
  const std::optional<double> limit = NumberFrom<double>(number);
  if (!limit || !(*limit >= 0 && *limit <= 1)) return malformed;
  gate.limit = *limit;
  return gate;
}

std::vector<GateResult> CheckGates(const CampaignView& view, const std::vector<Gate>& gates) {
  std::vector<GateResult> results;
  for (const ModelView& model : view.models) {
    for (const Gate& gate : gates) results.push_back(Check(view, model, gate));
  }
  return results;
}

}  // namespace mutatenn
