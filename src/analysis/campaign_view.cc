// Rows of the store to a campaign view: fates pass by in the store's order, one mutant's on all
// devices at a time, are put into image order beside the original's outputs, judged and compared,
// and let go but for a few bytes each.
#include "analysis/campaign_view.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <unordered_map>

#include "analysis/command_rule.h"
#include "analysis/judging_thread.h"
#include "analysis/originals.h"
#include "base/number.h"
#include "judge/kill_rule.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr int kDegenerateImages = 10;  // judge.h: fewer can never be degenerate

Result<Fate> FateOf(const StoredFate& row) {
  auto where = [&] {  // millions of rows, and hardly ever an error
    return "the stored fate of mutant " + row.mutant + " on " + row.image + ", device " +
           row.device;
  };
  auto ending = EndingFromName(row.ending);
  if (!ending) return Fail(Code::kInvalidInput, where(), ": unknown ending '", row.ending, "'");
  Fate fate;
  fate.image = row.image;
  fate.ending = *ending;
  if (*ending == Ending::kOk) {
    Result<std::vector<Ranked>> top = TopFromText(row.top_json, "");
    if (!top.ok()) return TopFromText(row.top_json, where()).error();
    fate.top = std::move(top).value();
  }
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

Outcome OutcomeOf(const Evidence& evidence, size_t i, int image) {
  const Fate& fate = evidence.fates[i];
  Outcome outcome;
  outcome.image = image;
  if (!fate.top.empty()) outcome.label = static_cast<int32_t>(fate.top.front().label);
  outcome.ending = fate.ending;
  outcome.kills = Detects(evidence, i);
  outcome.infected = fate.infected;
  outcome.nonfinite = fate.nonfinite;
  outcome.margin = static_cast<float>(Margin(fate.top));
  outcome.max_abs_diff = fate.max_abs_diff;
  outcome.seconds = fate.seconds;
  return outcome;
}

// What only a complete run of the images can say stays empty otherwise.
void Summarise(const ModelView& model, const std::vector<Fate>& fates, DeviceResult& result) {
  int planned = static_cast<int>(model.images.size());
  result.images_ended = static_cast<int>(fates.size());
  result.complete = planned > 0 && result.images_ended == planned;
  if (fates.empty()) return;
  result.nonfinite = result.judgement.nonfinite;
  result.seconds = 0;
  bool truth_known = false;
  int correct = 0;
  for (size_t i = 0; i < fates.size(); ++i) {
    const Fate& fate = fates[i];
    *result.seconds += fate.seconds;
    int64_t truth = model.images[static_cast<size_t>(result.outcomes[i].image)].truth;
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

std::vector<DeviceFates> InImageOrder(std::vector<std::vector<std::pair<int, Fate>>> rows) {
  std::vector<DeviceFates> fates;
  for (auto& of_device : rows) {
    std::sort(of_device.begin(), of_device.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    DeviceFates& on = fates.emplace_back();
    for (auto& [image, fate] : of_device) {
      on.images.push_back(image);
      on.fates.push_back(std::move(fate));
    }
  }
  return fates;
}

class Reader {
 public:
  Reader(Store& store, const ReadOptions& options) : store_(store), options_(options) {}

  Result<CampaignView> Read() {
    for (const auto& keys : kMetaKeys) {
      for (const std::string& key : keys) {
        std::optional<std::string> value = TRY(store_.Meta(key));
        if (value) view_.meta.emplace(keys.front(), *value);
      }
    }
    view_.store = &store_;
    view_.marks = options_.marks;
    const std::string* kill = view_.Meta("kill");
    view_.rule = options_.rule ? *options_.rule : TRY(ParseKillRule(kill ? *kill : "top1"));
    if (!options_.rule && !view_.rule.command.empty())
      return Fail(Code::kInvalidInput, "kill rule ", KillRuleText(view_.rule),
                  ": a campaign may not say what to run here; give the rule with --kill");
    if (const std::string* top_k = view_.Meta("top_k"))
      view_.top_k = NumberFrom<int>(*top_k).value_or(0);
    if (view_.rule.kind == KillRule::Kind::kTopK && view_.top_k > 0 && view_.rule.k > view_.top_k)
      return Fail(Code::kInvalidInput, "kill rule ", KillRuleText(view_.rule),
                  ": the campaign kept the best ", std::to_string(view_.top_k),
                  " labels only (`top_k`)");
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
    std::map<std::string, const Mark*> marks;
    for (const Mark& mark : view_.marks) marks[mark.mutant] = &mark;
    for (ModelView& model : view_.models) {
      for (MutantView& mutant : model.mutants) {
        auto mark = marks.find(mutant.stored.id);
        if (mark != marks.end()) mutant.mark = *mark->second;
      }
    }
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
    TRY(ReadOriginals(store_, view_.devices, model));
    TRY(MakeRules(model));
    if (!view_.rule.command.empty()) TRY(CheckWholeOutputs(model, view_.top_k));
    TRY(ReadMutants(model));
    TRY(ReadBuilds(name));
    TRY(ReadFates(model, image_index));
    TRY(FindSameCode(model));
    return model;
  }

  size_t devices() const { return view_.devices.size(); }

  Status ReadBuilds(const std::string& name) {
    builds_.clear();
    out_of_bounds_.clear();
    again_.clear();
    for (const StoredDevice& device : view_.devices) {
      if (view_.rule.kind != KillRule::Kind::kFisher) break;  // no other one asks for them
      for (const StoredMutantRun& row : TRY(store_.MutantRuns(name, device.name)))
        again_[{row.mutant, device.name, row.image}].push_back(row.label);
    }
    for (StoredBuild& build : TRY(store_.Builds(name))) {
      builds_.emplace(std::make_pair(build.mutant, build.target_index), std::move(build));
    }
    for (const StoredOutOfBounds& row : TRY(store_.OutOfBoundsOf(name))) {
      out_of_bounds_[{row.mutant, row.device}] = {row.step, row.buffer, row.offset};
    }
    return Ok();
  }

  // Judges every mutant that has fates, and compares the devices on the way.
  Status ReadFates(ModelView& model, const std::unordered_map<std::string, int>& image_index) {
    std::unordered_map<std::string, size_t> mutant_index, device_index;
    for (const MutantView& mutant : model.mutants)
      mutant_index.emplace(mutant.stored.id, mutant_index.size());
    for (const StoredDevice& device : view_.devices)
      device_index.emplace(device.name, device_index.size());
    DeviceComparer comparer(model, devices(), view_.top_k);
    JudgingThread judging([&](std::span<const StoredFate> rows) -> Status {
      if (rows.empty()) return Ok();
      auto mutant = mutant_index.find(rows.front().mutant);
      if (mutant == mutant_index.end()) return Ok();
      std::vector<std::vector<std::pair<int, Fate>>> gathered(devices());
      for (const StoredFate& row : rows) {
        auto image = image_index.find(row.image);
        auto device = device_index.find(row.device);
        if (image == image_index.end() || device == device_index.end()) continue;
        // Without the original's output on this device there is nothing to compare with (yet).
        if (!model.originals[device->second][static_cast<size_t>(image->second)]) continue;
        gathered[device->second].emplace_back(image->second, TRY(FateOf(row)));
      }
      Judge(model, model.mutants[mutant->second], InImageOrder(std::move(gathered)), &comparer,
            mutant->second);
      return Ok();
    });
    std::string current;
    TRY(store_.EachFate(model.stored.name, [&](const StoredFate& row) -> Status {
      if (row.mutant != current) {
        TRY(judging.Judge());
        current = row.mutant;
      }
      judging.Add(row);
      return Ok();
    }));
    TRY(judging.Judge());
    TRY(judging.End());
    for (MutantView& mutant : model.mutants) {
      if (mutant.devices.empty()) Judge(model, mutant, std::vector<DeviceFates>(devices()));
    }
    model.comparisons = std::move(comparer).Finish();
    return Ok();
  }

  Status FindSameCode(ModelView& model) {
    std::map<std::pair<std::string, int>, std::string> codes;
    for (StoredCode& row : TRY(store_.Codes(model.stored.name)))
      codes.emplace(std::make_pair(row.mutant, row.target_index), std::move(row.code));
    for (size_t d = 0; d < devices(); ++d) {
      std::map<std::string, std::string> first;  // code -> the first mutant that runs it
      for (MutantView& mutant : model.mutants) {
        const auto code = codes.find({mutant.stored.id, view_.devices[d].target_index});
        if (code == codes.end()) continue;
        const auto [leader, fresh] = first.emplace(code->second, mutant.stored.id);
        if (!fresh) mutant.devices[d].same_as = leader->second;
      }
    }
    return Ok();
  }

  // The rule on each device, of which this one says what its noise is.
  Status MakeRules(const ModelView& model) {
    rules_.assign(devices(), view_.rule);
    for (size_t d = 0; view_.rule.kind == KillRule::Kind::kNoise && d < devices(); ++d) {
      const auto& originals = model.originals[d];
      bool ran = std::any_of(originals.begin(), originals.end(),
                             [](const auto& original) { return original.has_value(); });
      if (ran && !model.noise[d])
        return Fail(Code::kInvalidInput, "kill rule noise: the campaign holds no repeated runs of ",
                    "the original on device ", view_.devices[d].name, " (`repeats`)");
      rules_[d].tolerance = model.noise[d].value_or(0);
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

  // Gives the mutant its result on every device, of all its fates in image order.
  void Judge(const ModelView& model, MutantView& mutant, std::vector<DeviceFates> fates,
             DeviceComparer* comparer = nullptr, size_t index = 0) {
    for (size_t d = 0; d < devices(); ++d)
      mutant.devices.push_back(JudgeOn(model, mutant.stored.id, d, fates[d]));
    if (comparer != nullptr) comparer->Add(index, fates);
    for (size_t d = 0; options_.keep_fates && d < devices(); ++d)
      mutant.devices[d].fates = std::move(fates[d].fates);
  }

  // `on` is left with the fates that count.
  DeviceResult JudgeOn(const ModelView& model, const std::string& mutant, size_t device,
                       DeviceFates& on) {
    Evidence evidence;
    auto build = builds_.find({mutant, view_.devices[device].target_index});
    evidence.build = build != builds_.end() ? build->second.state : "pending";
    evidence.build_reason = build != builds_.end() ? build->second.reason : "";
    evidence.images_planned = static_cast<int>(model.images.size());
    evidence.full_matrix = view_.full_matrix;
    auto bounds = out_of_bounds_.find({mutant, view_.devices[device].name});
    if (bounds != out_of_bounds_.end()) evidence.out_of_bounds = bounds->second;
    if (evidence.build == "ok") evidence.fates = std::move(on.fates);
    for (size_t i = 0; i < evidence.fates.size(); ++i) {
      auto image = static_cast<size_t>(on.images[i]);
      evidence.originals.push_back(model.originals[device][image]->top);
      evidence.truths.push_back(model.images[image].truth);
      evidence.repeats.push_back(model.originals[device][image]->repeats);
      evidence.again.push_back(
          AgainOf(mutant, device, evidence.fates[i].image, evidence.originals.back()));
    }
    DeviceResult result;
    result.judgement = ::mutatenn::Judge(evidence);
    result.top1 = result.judgement.verdict;
    evidence.rule = rules_[device];
    if (!evidence.rule.command.empty()) {
      evidence.ask = [&](const Evidence& all) {
        return AskCommand(all, mutant, view_.devices[device].name);
      };
    }
    if (view_.rule != KillRule{}) result.judgement = ::mutatenn::Judge(evidence);
    result.out_of_bounds = evidence.out_of_bounds;
    size_t count = JudgedFates(evidence);
    for (size_t i = 0; i < count; ++i) {
      result.outcomes.push_back(OutcomeOf(evidence, i, on.images[i]));
    }
    on.fates = std::move(evidence.fates);
    on.fates.resize(count);
    on.images.resize(count);
    Summarise(model, on.fates, result);
    return result;
  }

  // A run that died gave another label than the original, or none.
  Repeats AgainOf(const std::string& mutant, size_t device, const std::string& image,
                  const std::vector<Ranked>& original) const {
    Repeats runs;
    const auto known = again_.find({mutant, view_.devices[device].name, image});
    if (known == again_.end() || original.empty()) return runs;
    runs.runs = static_cast<int>(known->second.size());
    for (const int64_t label : known->second) runs.other_labels += label != original.front().label;
    return runs;
  }

  Store& store_;
  const ReadOptions& options_;
  CampaignView view_;
  std::vector<StoredOperatorUse> uses_;
  std::vector<KillRule> rules_;  // by device, of the model that is read
  std::map<std::pair<std::string, int>, StoredBuild> builds_;
  std::map<std::pair<std::string, std::string>, OutOfBounds> out_of_bounds_;
  // First labels of the mutants' further runs, by mutant, device and image.
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<int64_t>> again_;
};

}  // namespace

const std::string* CampaignView::Meta(const std::string& key) const {
  auto found = meta.find(key);
  return found == meta.end() ? nullptr : &found->second;
}

Result<CampaignView> ReadCampaign(Store& store, const ReadOptions& options) {
  return Reader(store, options).Read();
}

}  // namespace mutatenn
