// The campaign as one JSON object; docs/results.md says what each key means. Keys keep this order,
// and nothing but `seconds` depends on when or how the campaign was run. null = not known, because
// not run.
#include <cmath>
#include <optional>

#include "analysis/devices.h"
#include "analysis/findings.h"
#include "analysis/kill_matrix.h"
#include "analysis/scores.h"
#include "base/json.h"
#include "judge/kill_rule.h"
#include "judge/top_json.h"
#include "report/device_noise.h"
#include "report/json_effects.h"
#include "report/json_growth.h"
#include "report/report.h"

namespace mutatenn {
namespace {

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// A meta value as text, or as the number that it spells.
Json MetaText(const CampaignView& view, const char* key) {
  const std::string* value = view.Meta(key);
  return value ? Json(*value) : Json(nullptr);
}
Json MetaNumber(const CampaignView& view, const char* key) {
  const std::string* value = view.Meta(key);
  if (!value) return nullptr;
  Result<Json> parsed = ParseJson(*value, key);
  return parsed.ok() && parsed->is_number() ? *parsed : Json(*value);
}

Json TextAsJson(const std::string& text) {
  Result<Json> parsed = ParseJson(text, "");
  return parsed.ok() ? *parsed : Json(text);
}

Json CampaignJson(const CampaignView& view) {
  return {{"id", MetaText(view, "campaign_id")},
          {"tool_version", MetaText(view, "tool_version")},
          {"tvm_version", MetaText(view, "tvm_version")},
          {"config_hash", MetaText(view, "config_hash")},
          {"rules_version", kRulesVersion},
          {"matrix", MetaText(view, "matrix")},
          {"kill", view.Meta("kill") || view.rule != KillRule{} ? Json(KillRuleText(view.rule))
                                                                : Json(nullptr)},
          {"top_k", MetaNumber(view, "top_k")},
          {"seed", MetaNumber(view, "seed")},
          {"level", MetaNumber(view, "level")}};
}

Json DeviceJson(const StoredDevice& device) {
  return {{"name", device.name},
          {"target", TextAsJson(device.target_json)},
          {"canonical_target", TextAsJson(device.canonical_target)},
          {"cpu", device.cpu},
          {"tvm_version", device.tvm_version}};
}

Json TopKJson(const std::vector<Ranked>& top) {
  Json list = Json::array();
  for (const Json& entry : TopToJson(top))
    list.push_back({{"label", entry[0]}, {"score", entry[1]}});
  return list;
}

Json OriginalsJson(const CampaignView& view, const ModelView& model) {
  Json list = Json::array();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    for (size_t i = 0; i < model.images.size(); ++i) {
      const auto& original = model.originals[d][i];
      if (!original) continue;
      list.push_back(
          {{"device", view.devices[d].name},
           {"image", model.images[i].name},
           {"top1", original->top.empty() ? Json(nullptr) : Json(original->top[0].label)},
           {"top_k", TopKJson(original->top)},
           {"correct", OrNull(original->correct)}});
    }
  }
  return list;
}

Json IntervalJson(const std::optional<Interval>& interval) {
  return interval ? Json::array({interval->low, interval->high}) : Json(nullptr);
}

Json ScoreJson(const CampaignView& view, const ModelView& model, std::optional<int> device,
               const MutantSet& mutants) {
  ScoreWithIntervals of = ScoreOf(model, device, mutants);
  const Score& score = of.score;
  Json counts = Json::object(), population = nullptr;
  Json guarded = nullptr, left_out = nullptr;
  if (of.guarded) {
    guarded = {{"score", OrNull(of.guarded->Value())},
               {"n", of.guarded->valid},
               {"detected", of.guarded->detected},
               {"interval", IntervalJson(of.guarded->Wilson())}};
  }
  if (score.Total() > 0) left_out = 1 - static_cast<double>(score.valid) / score.Total();
  for (int i = 0; i < kVerdicts; ++i) {
    counts[VerdictName(static_cast<Verdict>(i))] = score.counts[static_cast<size_t>(i)];
  }
  counts["marked"] = score.marked;
  if (of.population) {
    population = {{"score", of.population->score},
                  {"interval", IntervalJson(of.population->interval)}};
  }
  return {{"score", OrNull(score.Value())},
          {"n", score.valid},
          {"detected", score.detected},
          {"interval", IntervalJson(of.mutants)},
          {"population", population},
          {"interval_over_images", IntervalJson(OverImages(view, model, device, mutants))},
          {"out_of_bounds_as_crashed", guarded},
          {"left_out", left_out},
          {"counts", counts}};
}

// Over all devices and on each.
Json ScoresJson(const CampaignView& view, const ModelView& model, const MutantSet& mutants) {
  Json devices = Json::object();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    devices[view.devices[d].name] = ScoreJson(view, model, static_cast<int>(d), mutants);
  }
  return {{"overall", ScoreJson(view, model, std::nullopt, mutants)}, {"devices", devices}};
}

Json ScoresJson(const CampaignView& view, const ModelView& model) {
  Json scores = ScoresJson(view, model, AllMutants(model));
  auto add = [&](const char* name, const std::vector<Group>& groups) {
    Json& of = scores[name] = Json::object();
    for (const Group& group : groups) of[group.name] = ScoresJson(view, model, group.mutants);
  };
  add("operators", ByOperator(model));
  add("categories", ByCategory(model));
  add("kernels", ByKernel(model));
  add("layers", ByLayer(model));
  Json& top1 = scores["top1"] = Json::object();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    const Score score = Top1Score(model, static_cast<int>(d), AllMutants(model));
    top1[view.devices[d].name] = {{"score", OrNull(score.Value())},
                                  {"n", score.valid},
                                  {"detected", score.detected},
                                  {"interval", IntervalJson(score.Wilson())}};
  }
  Json& classes = scores["classes"] = Json::object();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    Json& on = classes[view.devices[d].name] = Json::array();
    for (const ClassScore& of : ByClass(model, static_cast<int>(d))) {
      on.push_back({{"class", of.truth},
                    {"images", of.images},
                    {"score", OrNull(of.score.Value())},
                    {"n", of.score.valid},
                    {"detected", of.score.detected},
                    {"interval", IntervalJson(of.score.Wilson())}});
    }
  }
  return scores;
}

Json PointsJson(const Json& points) {
  Json list = Json::array();
  if (!points.is_array()) return list;
  for (const Json& point : points) {
    Json entry = Json::object();
    for (const char* key : {"level", "layers", "kernel", "block", "index", "variant"}) {
      entry[key] = point.is_object() && point.contains(key) ? point[key] : Json(nullptr);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

Json ResultJson(const ModelView& model, const DeviceResult& result) {
  Json bounds = nullptr;
  if (result.out_of_bounds) {
    bounds = {{"step", result.out_of_bounds->step},
              {"buffer", result.out_of_bounds->buffer},
              {"offset", result.out_of_bounds->offset}};
  }
  return {{"verdict", VerdictName(result.judgement.verdict)},
          {"reason", result.judgement.reason},
          {"degenerate", OrNull(result.degenerate)},
          {"out_of_bounds", bounds},
          {"nonfinite", OrNull(result.nonfinite)},
          {"images_planned", model.images.size()},
          {"images_compared", result.judgement.images_compared},
          {"images_differing", OrNull(result.images_differing)},
          {"images_correct", OrNull(result.images_correct)},
          {"first_diverging_layer", OrNull(result.first_diverging_layer)},
          {"seconds", OrNull(result.seconds)},
          {"same_as", result.same_as.empty() ? Json(nullptr) : Json(result.same_as)}};
}

Json MutantJson(const CampaignView& view, const ModelView& model, const MutantView& mutant) {
  Json devices = Json::object();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    devices[view.devices[d].name] = ResultJson(model, mutant.devices[d]);
  }
  Json mark = nullptr;
  if (mutant.mark) mark = {{"as", MarkName(mutant.mark->kind)}, {"reason", mutant.mark->reason}};
  return {{"id", mutant.stored.id},
          {"operator", mutant.stored.op_id},
          {"category", mutant.stored.category},
          {"parameters", mutant.parameters},
          {"place", mutant.stored.place},
          {"points", PointsJson(mutant.points)},
          {"mark", mark},
          {"devices", devices}};
}

Json ComparisonJson(const CampaignView& view, const DeviceComparison& comparison) {
  return {{"base", view.devices[static_cast<size_t>(comparison.base)].name},
          {"evaluated", view.devices[static_cast<size_t>(comparison.evaluated)].name},
          {"originals_compared", comparison.originals_compared},
          {"originals_differing", comparison.originals_differing},
          {"mutants_compared", comparison.mutants_compared},
          {"verdicts_differ", comparison.verdicts_differ},
          {"runs_compared", comparison.runs_compared},
          {"runs_differing", comparison.runs_differing},
          {"labels_differ", comparison.labels_differ},
          {"mean_rank_tau", OrNull(comparison.mean_rank_tau)},
          {"mean_levenshtein", OrNull(comparison.mean_levenshtein)},
          {"mean_l2", OrNull(comparison.mean_l2)},
          {"max_error", OrNull(comparison.max_error)},
          {"mean_cosine", OrNull(comparison.mean_cosine)},
          {"mean_kl", OrNull(comparison.mean_kl)},
          {"mean_d_mad", OrNull(comparison.mean_d_mad)}};
}

// What a full matrix tells on one device; null under `early`.
Json MatrixJson(const CampaignView& view, const ModelView& model, int device) {
  if (!view.full_matrix) return nullptr;
  KillMatrix matrix(model, device);
  auto names = [&](const std::vector<int>& images) {
    Json list = Json::array();
    for (int image : images) list.push_back(model.images[static_cast<size_t>(image)].name);
    return list;
  };
  auto ids = [&](const std::vector<size_t>& rows) {
    Json list = Json::array();
    for (size_t row : rows) list.push_back(model.mutants[matrix.rows()[row].mutant].stored.id);
    return list;
  };
  std::vector<size_t> dominators = DominatorRows(matrix);
  return {{"mutants", matrix.rows().size()},
          {"mutants_left_out", matrix.left_out()},
          {"killed", matrix.killed()},
          {"greedy_images", names(GreedyImages(matrix))},
          {"smallest_image_set", OrNull(SmallestImageSet(matrix))},
          {"idle_images", names(IdleImages(matrix))},
          {"expected_score", ExpectedScore(matrix)},
          {"distinct_kill_sets", DistinctKillSets(matrix)},
          {"dominators", ids(dominators)},
          {"expected_dominator_score", ExpectedScore(matrix, dominators)},
          {"trivial", ids(TrivialRows(matrix))},
          {"unique", ids(UniqueRows(matrix))}};
}

Json SurvivorsJson(const ModelView& model, int device) {
  Json list = Json::array();
  for (const NearSurvivor& survivor : NearSurvivors(model, device)) {
    Json nearest = Json::array();
    for (int image : survivor.nearest)
      nearest.push_back(model.images[static_cast<size_t>(image)].name);
    list.push_back({{"mutant", model.mutants[survivor.mutant].stored.id},
                    {"margin", survivor.margin},
                    {"nearest_images", nearest},
                    {"images_infected", survivor.infected}});
  }
  return list;
}

Json SpreadsJson(const CampaignView& view, const ModelView& model) {
  Json counts = Json::object(), only = Json::object(), ranked = Json::array();
  for (auto kind : {Spread::Kind::kEverywhere, Spread::Kind::kSome, Spread::Kind::kNowhere,
                    Spread::Kind::kNotCompared})
    counts[SpreadName(kind)] = 0;
  for (const StoredDevice& device : view.devices) only[device.name] = 0;
  const std::vector<Spread> spreads = SpreadsOf(model);
  for (const Spread& spread : spreads) {
    Json& count = counts[SpreadName(spread.kind)];
    count = count.get<int>() + 1;
    if (spread.kind != Spread::Kind::kSome || spread.killed.size() != 1) continue;
    Json& on = only[view.devices[static_cast<size_t>(spread.killed[0])].name];
    on = on.get<int>() + 1;
  }
  for (const Disagreement& disagreement : Disagreements(spreads)) {
    const Spread& spread = disagreement.spread;
    Json killed = Json::array();
    for (int d : spread.killed) killed.push_back(view.devices[static_cast<size_t>(d)].name);
    ranked.push_back({{"mutant", model.mutants[disagreement.mutant].stored.id},
                      {"verdicts_differ", spread.verdicts_differ},
                      {"images_compared", spread.images},
                      {"images_disagreeing", spread.disagreeing},
                      {"killed_on", killed}});
  }
  return {{"killed", counts}, {"killed_only_on", only}, {"disagreements", ranked}};
}

Json FindingsJson(const CampaignView& view, const ModelView& model) {
  Json list = Json::array();
  for (const Finding& finding : FindingsOf(model)) {
    const MutantView& mutant = model.mutants[finding.mutant];
    list.push_back(
        {{"mutant", mutant.stored.id},
         {"operator", mutant.stored.op_id},
         {"device", view.devices[finding.device].name},
         {"points", PointsJson(mutant.points)},
         {"image", finding.image},
         {"max_abs_diff",
          std::isfinite(finding.max_abs_diff) ? Json(finding.max_abs_diff) : Json(nullptr)},
         {"tolerance", finding.tolerance}});
  }
  return list;
}

Json ModelJson(const CampaignView& view, const ModelView& model) {
  Json images = Json::array(), points = Json::object(), population = Json::object(),
       selected = Json::object(), mutants = Json::array(), comparisons = Json::array();
  for (const StoredImage& image : model.images) {
    images.push_back(
        {{"name", image.name}, {"truth", image.truth < 0 ? Json(nullptr) : Json(image.truth)}});
  }
  // Several uses of one operator (other parameters) are summed.
  auto add = [](Json& counts, const std::string& key, int count) {
    counts[key] = counts.value(key, 0) + count;
  };
  for (const StoredOperatorUse& use : model.uses) {
    add(points, use.op_id, use.points);
    add(population, use.op_id, use.mutants);
    add(selected, use.op_id, use.selected);
  }
  for (const MutantView& mutant : model.mutants) mutants.push_back(MutantJson(view, model, mutant));
  for (const DeviceComparison& comparison : model.comparisons) {
    comparisons.push_back(ComparisonJson(view, comparison));
  }
  Json matrices = Json::object(), survivors = Json::object(), noise = Json::object();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    const std::optional<double>& limit = model.noise[d];
    noise[view.devices[d].name] = limit && std::isfinite(*limit) ? Json(*limit) : Json(nullptr);
    matrices[view.devices[d].name] = MatrixJson(view, model, static_cast<int>(d));
    survivors[view.devices[d].name] = SurvivorsJson(model, static_cast<int>(d));
  }
  return {{"name", model.stored.name},
          {"images", images},
          {"original", OriginalsJson(view, model)},
          {"noise", noise},
          {"points", points},
          {"mutant_counts", population},
          {"mutants_selected", selected},
          {"scores", ScoresJson(view, model)},
          {"matrix", matrices},
          {"survivors", survivors},
          {"effects", EffectsJson(view, model)},
          {"over_devices", SpreadsJson(view, model)},
          {"device_comparison", comparisons},
          {"compiler_findings", FindingsJson(view, model)},
          {"mutants", mutants}};
}

Status WriteJson(const CampaignView& view, const std::string& destination) {
  Json devices = Json::array(), models = Json::array();
  for (const StoredDevice& device : view.devices) devices.push_back(DeviceJson(device));
  for (const ModelView& model : view.models) {
    models.push_back(ModelJson(view, model));
    models.back()["device_noise"] = TRY(DeviceNoiseJson(view, model));
    models.back()["growth"] = TRY(GrowthJson(view, model));
  }
  Json report = {{"campaign", CampaignJson(view)}, {"devices", devices}, {"models", models}};
  return WriteText(destination, report.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

REPORT(.name = "json", .summary = "one JSON object with everything (docs/results.md); a file or -",
       .write = WriteJson);

}  // namespace
}  // namespace mutatenn
