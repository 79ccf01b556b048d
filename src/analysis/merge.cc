// Rows of several stores to one store, table by table, each checked against what is there.
#include "analysis/merge.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/json.h"

namespace mutatenn {
namespace {

// Settings that verdicts depend on; other keys of `meta` are the first source's.
constexpr const char* kMustAgree[] = {"kill",   "matrix",        "top_k",      "level",
                                      "timing", "rules_version", "slow_oracle"};
constexpr size_t kRowsAtOnce = 5000;

class Merge {
 public:
  explicit Merge(Store& into) : into_(into) {}

  Status Add(const MergeSource& source) {
    source_ = &source;
    TRY(AddMeta());
    TRY(AddDevices());
    for (const StoredModel& model : TRY(source.store->Models())) TRY(AddModel(model));
    std::vector<StoredProgram> programs = TRY(source.store->Programs());
    for (StoredProgram& program : programs)
      program.target_index = targets_.at(program.target_index);
    TRY(into_.PutPrograms(programs));
    for (const StoredOperatorUse& use : TRY(source.store->OperatorUses())) {
      auto [known, fresh] = uses_.try_emplace({use.model, use.op_key}, use);
      if (!fresh && (known->second.points != use.points || known->second.mutants != use.mutants))
        return Other("the mutants of operator " + use.op_key);
    }
    for (const auto& [kind, text] : TRY(source.store->Events())) TRY(into_.AddEvent(kind, text));
    return Ok();
  }

  // What only the whole says: how many mutants are selected now, and all devices and models.
  Status Finish() {
    std::vector<StoredOperatorUse> uses;
    for (auto& [key, use] : uses_) {
      use.selected = selected_[key];
      uses.push_back(use);
    }
    TRY(into_.PutOperatorUses(uses));
    if (config_.is_null()) return Ok();
    TRY(into_.SetMeta("configuration", DumpJson(config_)));
    std::string ids;
    for (const std::string& id : ids_) ids += id;
    // One campaign merged with itself is that campaign.
    return into_.SetMeta("campaign", ids_.size() == 1 ? *ids_.begin() : HashBytes(ids));
  }

 private:
  Error Other(const std::string& what) const {
    return Fail(Code::kInvalidInput, source_->name, ": ", what,
                " differ from the other campaigns'; only shards of one campaign are merged");
  }

  Status AddMeta() {
    std::map<std::string, std::string> meta = TRY(source_->store->AllMeta());
    auto value = [](const std::map<std::string, std::string>& of, const char* key) {
      auto found = of.find(key);
      return found == of.end() ? std::string() : found->second;
    };
    ids_.insert(value(meta, "campaign"));
    for (const char* key : kMustAgree) {
      bool same = meta_.empty() || value(meta_, key) == value(meta, key);
      if (!same) return Other(std::string("the setting `") + key + "`");
    }
    Json config = TRY(ParseJson(meta.count("configuration") ? value(meta, "configuration") : "null",
                                source_->name + ": the stored configuration"));
    if (config_.is_null()) config_ = config;
    for (const char* list : {"devices", "models"}) {
      if (!config.is_object() || !config.contains(list) || !config_.contains(list)) continue;
      for (const Json& entry : config[list]) {
        auto same = [&](const Json& known) {
          return known.value("name", "") == entry.value("name", "");
        };
        Json& all = config_[list];
        if (std::none_of(all.begin(), all.end(), same)) all.push_back(entry);
      }
    }
    for (const auto& [key, value] : meta) {
      if (!meta_.emplace(key, value).second) continue;
      TRY(into_.SetMeta(key, value));
    }
    return Ok();
  }

  Status AddDevices() {
    targets_.clear();
    for (StoredDevice& device : TRY(source_->store->Devices())) {
      std::string target =
          device.canonical_target.empty() ? device.target_json : device.canonical_target;
      int index = target_of_.emplace(target, static_cast<int>(target_of_.size())).first->second;
      targets_[device.target_index] = index;
      device.target_index = index;
      auto [known, fresh] = devices_.try_emplace(device.name, target);
      if (!fresh && known->second != target) return Other("the targets of device " + device.name);
      if (fresh) TRY(into_.PutDevices({device}));
    }
    return Ok();
  }

  Status AddModel(const StoredModel& model) {
    auto [known, fresh] = models_.try_emplace(model.name, model);
    if (known->second.hash != model.hash || known->second.graph_hash != model.graph_hash)
      return Other("the files of model " + model.name);
    if (fresh) TRY(into_.PutModels({model}));
    TRY(AddImages(model.name));
    std::vector<StoredMutant> mutants;
    for (StoredMutant& mutant : TRY(source_->store->Mutants(model.name))) {
      bool& selected = selected_mutants_[{model.name, mutant.id}];
      if (mutant.selected && !selected) {
        selected = true;
        ++selected_[{model.name, mutant.op_key}];
      }
      mutant.selected = selected;
      mutants.push_back(std::move(mutant));
    }
    TRY(into_.PutMutants(mutants));
    TRY(into_.PutPoints(TRY(source_->store->Points(model.name))));
    TRY(AddBuilds(model.name));
    std::vector<StoredOriginal> originals = TRY(source_->store->Originals(model.name));
    for (const StoredOriginal& original : originals) {
      auto [before, first] = originals_.try_emplace(
          model.name + "\n" + original.device + "\n" + original.image, original.top_json);
      if (!first && before->second != original.top_json)
        return Other("the original's outputs on " + original.image + ", device " + original.device);
    }
    TRY(into_.PutOriginals(originals));
    TRY(AddRepeats(model.name));
    TRY(AddFates(model.name));
    for (const StoredOutOfBounds& row : TRY(source_->store->OutOfBoundsOf(model.name)))
      TRY(into_.PutFates({}, row));
    return Ok();
  }

  Status AddImages(const std::string& model) {
    std::vector<StoredImage> images;
    for (const StoredImage& image : TRY(source_->store->Images(model))) {
      auto [known, fresh] = images_.try_emplace({model, image.name}, image);
      StoredImage& before = known->second;
      bool placed = image.position >= 0 && before.position >= 0;
      if (before.hash != image.hash || before.truth != image.truth ||
          (placed && before.position != image.position))
        return Other("the files, classes or order of image " + image.name);
      if (!fresh && before.position < 0) before.position = image.position;
      images.push_back(before);
    }
    return into_.PutImages(images);
  }

  // The reference of an image is the first source's, whose first device is the whole's.
  Status AddRepeats(const std::string& model) {
    TRY(into_.PutRepeats(TRY(source_->store->Repeats(model))));
    for (const StoredDevice& device : TRY(source_->store->Devices()))
      TRY(into_.PutFloors(TRY(source_->store->Floors(model, device.name))));
    for (const StoredDevice& device : TRY(source_->store->Devices()))
      TRY(into_.PutMutantRuns(TRY(source_->store->MutantRuns(model, device.name))));
    TRY(into_.PutGrowth(TRY(source_->store->Growth(model))));
    std::set<std::string> known;
    for (const StoredReferenceOutput& row : TRY(into_.ReferenceOutputs(model)))
      known.insert(row.image);
    std::vector<StoredReferenceOutput> rows = TRY(source_->store->ReferenceOutputs(model));
    std::erase_if(rows, [&](const StoredReferenceOutput& row) { return known.count(row.image); });
    return into_.PutReferenceOutputs(rows);
  }

  Status AddBuilds(const std::string& model) {
    std::vector<StoredBuild> builds;
    TRY(source_->store->EachBuild(model, [&](const StoredBuild& build) -> Status {
      builds.push_back(build);
      builds.back().target_index = targets_.at(build.target_index);
      if (builds.size() < kRowsAtOnce) return Ok();
      TRY(into_.PutBuilds(builds));
      builds.clear();
      return Ok();
    }));
    TRY(into_.PutBuilds(builds));
    std::vector<StoredCode> codes = TRY(source_->store->Codes(model));
    for (StoredCode& code : codes) code.target_index = targets_.at(code.target_index);
    return into_.PutCodes(codes);
  }

  // All of one mutant's are one transaction, and are looked up in what other sources gave.
  Status AddFates(const std::string& model) {
    std::vector<StoredFate> fates;
    auto put = [&]() -> Status {
      if (fates.empty()) return Ok();
      std::map<std::pair<std::string, std::string>, StoredFate> there;
      for (StoredFate& fate : TRY(into_.FatesOf(model, fates.front().mutant)))
        there.emplace(std::make_pair(fate.device, fate.image), std::move(fate));
      for (const StoredFate& fate : fates) {
        auto before = there.find({fate.device, fate.image});
        if (before == there.end()) continue;
        if (before->second.ending != fate.ending || before->second.top_json != fate.top_json)
          return Other("the fates of mutant " + fate.mutant + " on " + fate.image + ", device " +
                       fate.device);
      }
      TRY(into_.PutFates(fates, std::nullopt));
      fates.clear();
      return Ok();
    };
    TRY(source_->store->EachFate(model, [&](const StoredFate& fate) -> Status {
      if (!fates.empty() && fates.front().mutant != fate.mutant) TRY(put());
      fates.push_back(fate);
      return Ok();
    }));
    return put();
  }

  using Key = std::pair<std::string, std::string>;
  Store& into_;
  const MergeSource* source_ = nullptr;
  Json config_;
  std::set<std::string> ids_;
  std::map<std::string, std::string> meta_, devices_, originals_;
  std::map<std::string, int> target_of_;  // canonical target -> index in `into_`
  std::map<int, int> targets_;            // of the source -> of `into_`
  std::map<std::string, StoredModel> models_;
  std::map<Key, StoredImage> images_;
  std::map<Key, StoredOperatorUse> uses_;
  std::map<Key, int> selected_;
  std::map<Key, bool> selected_mutants_;
};

}  // namespace

Status MergeCampaigns(const std::vector<MergeSource>& sources, Store& into) {
  Merge merge(into);
  for (const MergeSource& source : sources) TRY(merge.Add(source));
  return merge.Finish();
}

}  // namespace mutatenn
