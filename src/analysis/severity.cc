// Labels of the original and of a mutant, and a table of the user's, to a weight and a ranking.
#include "analysis/severity.h"

#include <algorithm>
#include <tuple>

namespace mutatenn {
namespace {

int64_t OriginalLabel(const ModelView& model, size_t device, int image) {
  const auto& original = model.originals[device][static_cast<size_t>(image)];
  return original && !original->top.empty() ? original->top.front().label : -1;
}

// The configuration's entry of that name in a list of objects; null without one.
Json Named(const Json& list, const std::string& name) {
  if (!list.is_array()) return nullptr;
  for (const Json& entry : list) {
    if (entry.is_object() && entry.value("name", "") == name) return entry;
  }
  return nullptr;
}

Json At(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : Json(nullptr);
}

}  // namespace

const char* EffectName(Effect effect) {
  return effect == Effect::kSilent ? "silent" : effect == Effect::kLoud ? "loud" : "none";
}

Effect EffectOf(const ModelView& model, size_t device, const DeviceResult& result,
                const Outcome& outcome) {
  if (outcome.ending != Ending::kOk || outcome.nonfinite) return Effect::kLoud;
  if (outcome.label == OriginalLabel(model, device, outcome.image)) return Effect::kNone;
  return result.degenerate.value_or(false) ? Effect::kLoud : Effect::kSilent;
}

SeverityTable SeverityTable::Of(const CampaignView& view, const ModelView& model) {
  SeverityTable table;
  const std::string* text = view.Meta("config");
  Result<Json> parsed = ParseJson(text ? *text : "{}", "config");
  if (!parsed.ok()) return table;
  Json images = At(Named(At(*parsed, "models"), model.stored.name), "images");
  if (images.is_null()) images = At(*parsed, "images");
  const Json groups = At(images, "groups"), rows = At(*parsed, "severity");
  for (const Json& group : groups.is_array() ? groups : Json::array()) {
    for (const Json& label : group.at("classes"))
      table.groups_[static_cast<int64_t>(label.get<double>())].push_back(group.at("name"));
  }
  for (const Json& row : rows.is_array() ? rows : Json::array())
    table.rows_.push_back({row.at("from"), row.at("to"), row.at("weight").get<double>()});
  return table;
}

bool SeverityTable::Fits(const std::string& name, int64_t label) const {
  if (name == "*" || name == std::to_string(label)) return true;
  auto groups = groups_.find(label);
  return groups != groups_.end() &&
         std::find(groups->second.begin(), groups->second.end(), name) != groups->second.end();
}

double SeverityTable::Weight(int64_t from, int64_t to) const {
  for (const Row& row : rows_) {
    if (Fits(row.from, from) && Fits(row.to, to)) return row.weight;
  }
  return 1;
}

std::string SeverityTable::Name(int64_t label) const {
  auto groups = groups_.find(label);
  return groups == groups_.end() ? std::to_string(label) : groups->second.front();
}

std::vector<SilentMutant> RankSilent(const ModelView& model, size_t device,
                                     const SeverityTable& table) {
  std::vector<SilentMutant> ranked;
  for (size_t m = 0; m < model.mutants.size(); ++m) {
    const DeviceResult& result = model.mutants[m].devices[device];
    SilentMutant silent{.mutant = m};
    for (const Outcome& outcome : result.outcomes) {
      if (EffectOf(model, device, result, outcome) != Effect::kSilent) continue;
      const int64_t from = OriginalLabel(model, device, outcome.image);
      const double weight = table.Weight(from, outcome.label);
      if (silent.images == 0 || weight > silent.weight) {
        silent.weight = weight;
        silent.image = outcome.image;
        silent.from = from;
        silent.to = outcome.label;
      }
      ++silent.images;
      silent.total += weight;
    }
    if (silent.images > 0) ranked.push_back(silent);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return std::tie(a.weight, a.total) > std::tie(b.weight, b.total);
  });
  return ranked;
}

std::vector<int> CountEffects(const ModelView& model, size_t device) {
  std::vector<int> counts(3);
  for (const MutantView& mutant : model.mutants) {
    const DeviceResult& result = mutant.devices[device];
    for (const Outcome& outcome : result.outcomes)
      ++counts[static_cast<size_t>(EffectOf(model, device, result, outcome))];
  }
  return counts;
}

}  // namespace mutatenn
