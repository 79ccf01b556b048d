// Rows of the store to a campaign view: fates are gathered by mutant and device, put into image
// order beside the original's outputs, and handed to the judge.
#include "analysis/campaign_view.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr int kDegenerateImages = 10;  // judge.h: fewer can never be degenerate

using FatesByMutant = std::unordered_map<std::string, std::vector<StoredFate>>;

Result<std::vector<Ranked>> ParseTop(const std::string& text, const std::string& where) {
  return TopFromJson(TRY(ParseJson(text, where)), where);
}

Result<Fate> FateOf(const StoredFate& row) {
  std::string where =
      "the stored fate of mutant " + row.mutant + " on " + row.image + ", device " + row.device;
  auto ending = EndingFromName(row.ending);
  if (!ending) return Fail(Code::kInvalidInput, where, ": unknown ending '", row.ending, "'");
  Fate fate;
  fate.image = row.image;
  fate.ending = *ending;
  if (*ending == Ending::kOk) fate.top = TRY(ParseTop(row.top_json, where));
  fate.infected = row.infected;
  fate.dirty_steps = row.dirty_steps;
  fate.first_diverging_step = row.first_step;
  fate.first_diverging_layer = row.first_layer;
  fate.nonfinite = row.nonfinite;
  fate.max_abs_diff = row.max_abs_diff;
  fate.seconds = row.seconds;
  fate.detail = row.detail;
  return fate;
}

// What only a complete run of the images can say stays empty otherwise.
void Summarise(const ModelView& model, DeviceResult& result) {
  int planned = static_cast<int>(model.images.size());
  result.images_ended = static_cast<int>(result.fates.size());
  result.complete = planned > 0 && result.images_ended == planned;
  if (result.fates.empty()) return;
  result.nonfinite = result.judgement.nonfinite;
  result.seconds = 0;
  bool truth_known = false;
  int correct = 0;
  for (size_t i = 0; i < result.fates.size(); ++i) {
    const Fate& fate = result.fates[i];
    *result.seconds += fate.seconds;
    int64_t truth = model.images[static_cast<size_t>(result.images[i])].truth;
    if (truth >= 0 && fate.ending == Ending::kOk) {
      truth_known = true;
      correct += !fate.top.empty() && fate.top.front().label == truth;
    }
    bool decides = fate.image == result.judgement.killing_image;
    if (fate.infected && !fate.first_diverging_layer.empty() &&
        (decides || !result.first_diverging_layer)) {
      result.first_diverging_layer = fate.first_diverging_layer;
    }
  }
  if (result.complete || planned < kDegenerateImages)
    result.degenerate = result.judgement.degenerate;
  if (result.complete && result.judgement.images_compared > 0) {
    result.images_differing = result.judgement.images_differing;
    if (truth_known) result.images_correct = correct;
  }
}

class Reader {
 public:
  explicit Reader(Store& store) : store_(store) {}

  Result<CampaignView> Read() {
    for (const auto& keys : kMetaKeys) {
      for (const std::string& key : keys) {
        std::optional<std::string> value = TRY(store_.Meta(key));
        if (value) view_.meta.emplace(keys.front(), *value);
      }
    }
    const std::string* matrix = view_.Meta("matrix");
    view_.full_matrix = matrix && *matrix == "full";
    view_.devices = TRY(store_.Devices());
    std::vector<StoredModel> models = TRY(store_.Models());
    OrderAsConfigured("devices", view_.devices);
    OrderAsConfigured("models", models);
    uses_ = TRY(store_.OperatorUses());
    std::stable_sort(uses_.begin(), uses_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.op_id, a.op_key) < std::tie(b.op_id, b.op_key);
    });
    for (StoredModel& model : models) view_.models.push_back(TRY(ReadModel(std::move(model))));
    return std::move(view_);
  }

 private:
  // The store keeps the order of insertion, which an extension in two steps could make another than
  // that of the configuration.
  template <class Row>
  void OrderAsConfigured(const char* list, std::vector<Row>& rows) {
    const std::string* text = view_.Meta("config");
    if (!text) return;
    Result<Json> parsed = ParseJson(*text, "config");
    if (!parsed.ok() || !parsed->is_object() || !parsed->contains(list)) return;
    std::map<std::string, int> place;
    for (const Json& entry : parsed->at(list)) {
      if (entry.is_object() && entry.contains("name") && entry["name"].is_string()) {
        place.emplace(entry["name"].get<std::string>(), static_cast<int>(place.size()));
      }
    }
    auto place_of = [&](const Row& row) {
      auto found = place.find(row.name);
      return found == place.end() ? static_cast<int>(place.size()) : found->second;
    };
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const Row& a, const Row& b) { return place_of(a) < place_of(b); });
  }

  Result<ModelView> ReadModel(StoredModel stored) {
    ModelView model;
    model.stored = std::move(stored);
    const std::string& name = model.stored.name;
    model.images = TRY(store_.Images(name));
    for (const StoredOperatorUse& use : uses_) {
      if (use.model == name) model.uses.push_back(use);
    }
    std::unordered_map<std::string, int> image_index;
    for (const StoredImage& image : model.images) {
      image_index.emplace(image.name, static_cast<int>(image_index.size()));
    }
    TRY(ReadOriginals(model, image_index));
    TRY(ReadMutants(model));

    std::map<std::pair<std::string, int>, StoredBuild> builds;
    std::vector<StoredBuild> build_rows = TRY(store_.Builds(name));
    for (StoredBuild& build : build_rows) {
      builds.emplace(std::make_pair(build.mutant, build.target_index), std::move(build));
    }
    std::map<std::pair<std::string, std::string>, OutOfBounds> out_of_bounds;
    std::vector<StoredOutOfBounds> bounds_rows = TRY(store_.OutOfBoundsOf(name));
    for (const StoredOutOfBounds& row : bounds_rows) {
      out_of_bounds[{row.mutant, row.device}] = {row.step, row.buffer, row.offset};
    }
    std::map<std::pair<std::string, int>, std::string> codes;
    for (StoredCode& row : TRY(store_.Codes(name)))
      codes.emplace(std::make_pair(row.mutant, row.target_index), std::move(row.code));
    for (size_t d = 0; d < view_.devices.size(); ++d) {
      const StoredDevice& device = view_.devices[d];
      std::map<std::string, std::string> first;  // code -> the first mutant that runs it
      FatesByMutant fates;
      std::vector<StoredFate> rows = TRY(store_.Fates(name, device.name));
      for (StoredFate& row : rows) fates[row.mutant].push_back(std::move(row));
      for (MutantView& mutant : model.mutants) {
        auto build = builds.find({mutant.stored.id, device.target_index});
        auto bounds = out_of_bounds.find({mutant.stored.id, device.name});
        mutant.devices.push_back(TRY(
            JudgeOn(model, d, image_index, build == builds.end() ? nullptr : &build->second,
                    bounds == out_of_bounds.end() ? std::nullopt : std::optional(bounds->second),
                    fates[mutant.stored.id])));
        const auto code = codes.find({mutant.stored.id, device.target_index});
        if (code == codes.end()) continue;
        const auto [leader, fresh] = first.emplace(code->second, mutant.stored.id);
        if (!fresh) mutant.devices.back().same_as = leader->second;
      }
    }
    return model;
  }

  Status ReadOriginals(ModelView& model, const std::unordered_map<std::string, int>& image_index) {
    model.originals.assign(view_.devices.size(),
                           std::vector<std::optional<OriginalResult>>(model.images.size()));
    std::vector<StoredOriginal> rows = TRY(store_.Originals(model.stored.name));
    for (const StoredOriginal& row : rows) {
      auto image = image_index.find(row.image);
      auto device = std::find_if(view_.devices.begin(), view_.devices.end(),
                                 [&](const StoredDevice& d) { return d.name == row.device; });
      if (image == image_index.end() || device == view_.devices.end()) continue;
      OriginalResult original;
      original.top = TRY(ParseTop(row.top_json, "the stored output of the original on " +
                                                    row.image + ", device " + row.device));
      original.seconds = row.seconds;
      int64_t truth = model.images[static_cast<size_t>(image->second)].truth;
      if (truth >= 0)
        original.correct = !original.top.empty() && original.top.front().label == truth;
      model.originals[static_cast<size_t>(device - view_.devices.begin())]
                     [static_cast<size_t>(image->second)] = std::move(original);
    }
    return Ok();
  }

  Status ReadMutants(ModelView& model) {
    std::vector<StoredMutant> rows = TRY(store_.Mutants(model.stored.name));
    for (StoredMutant& row : rows) {
      if (!row.selected) {
        ++model.unselected;
        continue;
      }
      MutantView mutant;
      mutant.points = TRY(ParseJson(row.points_json, "the stored points of mutant " + row.id));
      Json use = TRY(ParseJson(row.use_json.empty() ? "null" : row.use_json,
                               "the stored operator use of mutant " + row.id));
      if (use.is_object() && use.contains("parameters")) mutant.parameters = use["parameters"];
      mutant.stored = std::move(row);
      model.mutants.push_back(std::move(mutant));
    }
    auto number = [](const MutantView& mutant, const char* key) -> int64_t {
      if (!mutant.points.is_array() || mutant.points.empty()) return -1;
      const Json& point = mutant.points.front();
      bool found = point.is_object() && point.contains(key) && point[key].is_number_integer();
      return found ? point[key].get<int64_t>() : -1;
    };
    auto order = [&](const MutantView& m) {
      return std::make_tuple(m.stored.op_id, m.stored.op_key, number(m, "index"),
                             number(m, "variant"), m.stored.id);
    };
    std::sort(model.mutants.begin(), model.mutants.end(),
              [&](const MutantView& a, const MutantView& b) { return order(a) < order(b); });
    return Ok();
  }

  Result<DeviceResult> JudgeOn(const ModelView& model, size_t device,
                               const std::unordered_map<std::string, int>& image_index,
                               const StoredBuild* build,
                               const std::optional<OutOfBounds>& out_of_bounds,
                               const std::vector<StoredFate>& rows) {
    Evidence evidence;
    evidence.build = build ? build->state : "pending";
    evidence.build_reason = build ? build->reason : "";
    evidence.images_planned = static_cast<int>(model.images.size());
    evidence.full_matrix = view_.full_matrix;
    evidence.out_of_bounds = out_of_bounds;
    std::vector<std::pair<int, const StoredFate*>> ordered;
    for (const StoredFate& row : rows) {
      auto image = image_index.find(row.image);
      // Without the original's output on this device there is nothing to compare with (yet).
      if (image == image_index.end() ||
          !model.originals[device][static_cast<size_t>(image->second)])
        continue;
      ordered.push_back({image->second, &row});
    }
    std::sort(ordered.begin(), ordered.end());
    DeviceResult result;
    if (evidence.build == "ok") {
      for (const auto& [image, row] : ordered) {
        evidence.fates.push_back(TRY(FateOf(*row)));
        evidence.originals.push_back(model.originals[device][static_cast<size_t>(image)]->top);
        result.images.push_back(image);
      }
    }
    result.judgement = Judge(evidence);
    result.out_of_bounds = out_of_bounds;
    result.fates = std::move(evidence.fates);
    if (!view_.full_matrix && !result.judgement.killing_image.empty()) {
      size_t judged = 0;
      while (result.fates[judged].image != result.judgement.killing_image) ++judged;
      result.fates.resize(judged + 1);
      result.images.resize(judged + 1);
    }
    Summarise(model, result);
    return result;
  }

  Store& store_;
  CampaignView view_;
  std::vector<StoredOperatorUse> uses_;
};

}  // namespace

const std::string* CampaignView::Meta(const std::string& key) const {
  auto found = meta.find(key);
  return found == meta.end() ? nullptr : &found->second;
}

Result<CampaignView> ReadCampaign(Store& store) { return Reader(store).Read(); }

}  // namespace mutatenn
