// Two views to one object of what differs.
#include "analysis/campaign_diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/metrics.h"
#include "analysis/scores.h"

namespace mutatenn {
namespace {

template <class T>
int Find(const std::vector<T>& rows, const std::string& name) {
  auto at = std::find_if(rows.begin(), rows.end(), [&](const T& row) { return row.name == name; });
  return at == rows.end() ? -1 : static_cast<int>(at - rows.begin());
}

struct StoredKernel {
  std::string role, code;
};
// The kernels by key of every program that was built, by model and target.
using Kernels = std::map<std::pair<std::string, int>, std::map<std::string, StoredKernel>>;

Result<Kernels> KernelsOf(const CampaignView& view) {
  Kernels all;
  for (const StoredProgram& row : TRY(view.store->Programs())) {
    Json program = TRY(ParseJson(row.program_json, "the stored program of " + row.model));
    if (!program.is_object() || !program.contains("kernels")) continue;
    auto& kernels = all[{row.model, row.target_index}];
    for (const Json& kernel : program["kernels"]) {
      kernels[kernel.value("key", "")] = {kernel.value("role", ""), kernel.value("code", "")};
    }
  }
  return all;
}

// A campaign and what is read of it once.
struct Side {
  const CampaignView& view;
  Kernels kernels;
};

Json DiffKernels(const Side& before, const Side& after, const std::string& model, int old_device,
                 int new_device) {
  auto of = [&](const Side& side, int device) {
    auto found =
        side.kernels.find({model, side.view.devices[static_cast<size_t>(device)].target_index});
    return found == side.kernels.end() ? std::map<std::string, StoredKernel>() : found->second;
  };
  const auto old_kernels = of(before, old_device), new_kernels = of(after, new_device);
  int equal = 0, not_known = 0;
  Json changed = Json::array(), gone = Json::array(), fresh = Json::array();
  for (const auto& [key, kernel] : old_kernels) {
    auto other = new_kernels.find(key);
    Json named = {{"key", key}, {"role", kernel.role}};
    if (other == new_kernels.end()) {
      gone.push_back(named);
    } else if (kernel.code.empty() || other->second.code.empty()) {
      ++not_known;
    } else if (other->second.code != kernel.code) {
      changed.push_back(named);
    } else {
      ++equal;
    }
  }
  for (const auto& [key, kernel] : new_kernels) {
    if (!old_kernels.count(key)) fresh.push_back({{"key", key}, {"role", kernel.role}});
  }
  return {{"equal", equal},
          {"changed", changed},
          {"code_not_known", not_known},
          {"gone", gone},
          {"new", fresh}};
}

Json DiffOutputs(const ModelView& before, const ModelView& after, int old_device, int new_device) {
  int compared = 0;
  Json differing = Json::array(), other_files = Json::array();
  double largest = 0;
  for (size_t i = 0; i < before.images.size(); ++i) {
    int at = Find(after.images, before.images[i].name);
    if (at < 0) continue;
    if (after.images[static_cast<size_t>(at)].hash != before.images[i].hash) {
      other_files.push_back(before.images[i].name);
      continue;
    }
    const auto& a = before.originals[static_cast<size_t>(old_device)][i];
    const auto& b = after.originals[static_cast<size_t>(new_device)][static_cast<size_t>(at)];
    if (!a || !b) continue;
    ++compared;
    if (Top1Differs(a->top, b->top)) differing.push_back(before.images[i].name);
    if (!a->top.empty() && !b->top.empty())
      largest = std::max(largest, std::abs(a->top[0].score - b->top[0].score));
  }
  return {{"images_compared", compared},
          {"labels_differ", differing},
          {"largest_difference_of_first_score", compared ? Json(largest) : Json(nullptr)},
          {"images_with_other_content", other_files}};
}

Json ScoreJson(const Score& of) {
  auto value = of.Value();
  auto interval = of.Wilson();
  return {{"score", value ? Json(*value) : Json(nullptr)},
          {"n", of.valid},
          {"interval", interval ? Json::array({interval->low, interval->high}) : Json(nullptr)}};
}

struct Matched {
  const MutantView* before = nullptr;
  const MutantView* after = nullptr;
  const char* by = "id";
};

// Pairs, and how many each side has alone.
std::vector<Matched> Match(const ModelView& before, const ModelView& after, int& gone, int& fresh) {
  std::map<std::string, const MutantView*> by_id;
  for (const MutantView& mutant : after.mutants) by_id[mutant.stored.id] = &mutant;
  std::vector<Matched> pairs;
  std::map<std::string, std::vector<const MutantView*>> old_places, new_places;
  for (const MutantView& mutant : before.mutants) {
    auto same = by_id.find(mutant.stored.id);
    if (same == by_id.end()) {
      old_places[mutant.stored.place].push_back(&mutant);
      continue;
    }
    pairs.push_back({&mutant, same->second, "id"});
    by_id.erase(same);
  }
  for (const auto& [id, mutant] : by_id) new_places[mutant->stored.place].push_back(mutant);
  size_t by_place = 0;
  size_t old_rest = 0;
  for (const auto& [place, mutants] : old_places) {
    old_rest += mutants.size();
    auto other = new_places.find(place);
    if (mutants.size() != 1 || other == new_places.end() || other->second.size() != 1) continue;
    pairs.push_back({mutants[0], other->second[0], "place"});
    ++by_place;
  }
  gone = static_cast<int>(old_rest - by_place);
  fresh = static_cast<int>(by_id.size() - by_place);
  return pairs;
}

Json DiffMutants(const CampaignView& before, const CampaignView& after, const ModelView& old_model,
                 const ModelView& new_model) {
  int gone = 0, fresh = 0, by_place = 0;
  std::vector<Matched> pairs = Match(old_model, new_model, gone, fresh);
  Json changes = Json::array();
  for (const Matched& pair : pairs) {
    by_place += std::string(pair.by) == "place";
    for (size_t d = 0; d < before.devices.size(); ++d) {
      int other = Find(after.devices, before.devices[d].name);
      if (other < 0) continue;
      Verdict a = pair.before->devices[d].judgement.verdict;
      Verdict b = pair.after->devices[static_cast<size_t>(other)].judgement.verdict;
      if (a == b) continue;
      changes.push_back({{"before", pair.before->stored.id},
                         {"after", pair.after->stored.id},
                         {"place", pair.before->stored.place},
                         {"matched_by", pair.by},
                         {"device", before.devices[d].name},
                         {"verdict_before", VerdictName(a)},
                         {"verdict_after", VerdictName(b)}});
    }
  }
  return {{"matched_by_id", static_cast<int>(pairs.size()) - by_place},
          {"matched_by_place", by_place},
          {"only_before", gone},
          {"only_after", fresh},
          {"verdict_changes", changes}};
}

Json DiffModel(const Side& before, const Side& after, const ModelView& old_model,
               const ModelView& new_model) {
  Json devices = Json::object();
  for (size_t d = 0; d < before.view.devices.size(); ++d) {
    const std::string& name = before.view.devices[d].name;
    int other = Find(after.view.devices, name);
    if (other < 0) continue;
    int device = static_cast<int>(d);
    devices[name] = {{"kernels", DiffKernels(before, after, old_model.stored.name, device, other)},
                     {"original", DiffOutputs(old_model, new_model, device, other)},
                     {"score_before", ScoreJson(ScoreOn(old_model, device, AllMutants(old_model)))},
                     {"score_after", ScoreJson(ScoreOn(new_model, other, AllMutants(new_model)))}};
  }
  return {{"name", old_model.stored.name},
          {"same_file", old_model.stored.hash == new_model.stored.hash},
          {"devices", devices},
          {"score_before", ScoreJson(OverallScore(old_model, AllMutants(old_model)))},
          {"score_after", ScoreJson(OverallScore(new_model, AllMutants(new_model)))},
          {"mutants", DiffMutants(before.view, after.view, old_model, new_model)}};
}

std::string ScoreText(const Json& score) {
  if (score["score"].is_null()) return "not measured";
  return fmt::format("{:.1f} % of {} ({:.1f}-{:.1f})", 100 * score["score"].get<double>(),
                     score["n"].get<int>(), 100 * score["interval"][0].get<double>(),
                     100 * score["interval"][1].get<double>());
}

}  // namespace

Result<Json> DiffCampaigns(const CampaignView& before, const CampaignView& after) {
  Json models = Json::array(), alone = Json::array(), meta = Json::object();
  std::set<std::string> keys;
  for (const CampaignView* view : {&before, &after}) {
    for (const auto& [key, value] : view->meta) {
      if (key != "config" && key != "campaign_id" && key != "created_epoch") keys.insert(key);
    }
  }
  for (const std::string& key : keys) {
    const std::string *a = before.Meta(key), *b = after.Meta(key);
    if (a && b && *a == *b) continue;
    meta[key] = Json::array({a ? Json(*a) : Json(nullptr), b ? Json(*b) : Json(nullptr)});
  }
  const Side old_side{before, TRY(KernelsOf(before))}, new_side{after, TRY(KernelsOf(after))};
  std::set<std::string> matched;
  for (const ModelView& model : before.models) {
    auto same = std::find_if(after.models.begin(), after.models.end(), [&](const ModelView& other) {
      return other.stored.name == model.stored.name;
    });
    if (same == after.models.end()) {
      alone.push_back(model.stored.name);
      continue;
    }
    matched.insert(model.stored.name);
    models.push_back(DiffModel(old_side, new_side, model, *same));
  }
  for (const ModelView& model : after.models) {
    if (!matched.count(model.stored.name)) alone.push_back(model.stored.name);
  }
  return Json{{"settings", meta}, {"models", models}, {"models_on_one_side", alone}};
}

std::string DiffText(const Json& diff) {
  std::string text;
  for (const auto& [key, values] : diff["settings"].items())
    text += fmt::format("{}: {} -> {}\n", key, DumpJson(values[0]), DumpJson(values[1]));
  for (const Json& model : diff["models"]) {
    text += fmt::format("{}: {}\n", model["name"].get<std::string>(),
                        model["same_file"].get<bool>() ? "the same file" : "another file");
    for (const auto& [device, on] : model["devices"].items()) {
      const Json& kernels = on["kernels"];
      const Json& original = on["original"];
      text += fmt::format(
          "  {}\n    kernels: {} equal, {} with other code, {} gone, {} new\n"
          "    original: label differs on {} of {} images\n    score: {} -> {}\n",
          device, kernels["equal"].get<int>(), kernels["changed"].size(), kernels["gone"].size(),
          kernels["new"].size(), original["labels_differ"].size(),
          original["images_compared"].get<int>(), ScoreText(on["score_before"]),
          ScoreText(on["score_after"]));
    }
    const Json& mutants = model["mutants"];
    text += fmt::format(
        "  any device: {} -> {}\n"
        "  mutants: {} matched by id, {} by place, {} only before, {} only after\n",
        ScoreText(model["score_before"]), ScoreText(model["score_after"]),
        mutants["matched_by_id"].get<int>(), mutants["matched_by_place"].get<int>(),
        mutants["only_before"].get<int>(), mutants["only_after"].get<int>());
    for (const Json& change : mutants["verdict_changes"]) {
      text += fmt::format(
          "  {} on {}: {} -> {} (matched by {}; {})\n", change["after"].get<std::string>(),
          change["device"].get<std::string>(), change["verdict_before"].get<std::string>(),
          change["verdict_after"].get<std::string>(), change["matched_by"].get<std::string>(),
          change["place"].get<std::string>());
    }
  }
  for (const Json& name : diff["models_on_one_side"])
    text += fmt::format("{}: on one side only\n", name.get<std::string>());
  return text;
}

}  // namespace mutatenn
