// Is the folder's campaign the one that the configuration describes? What was there must be as it
// was; images, devices, operators and models may be added, limits may grow.
#include <ctime>
#include <set>

#include <fmt/format.h>

#include "base/hash.h"
#include "campaign/steps.h"
#include "campaign/version.h"

namespace mutatenn {
namespace {

std::string Say(const Json& value) {
  return value.is_string() ? "'" + value.get<std::string>() + "'" : DumpJson(value);
}

class Comparison {
 public:
  Comparison(CampaignContext& context, Json stored)
      : context_(context), stored_(std::move(stored)) {}

  Status Check(const FoundImages& found, bool complete) {
    for (const char* key : {"kill", "timing", "top_k", "seed", "level"}) {
      if (stored_.at(key) != Now().at(key)) return Changed(key, stored_.at(key), Now().at(key));
    }
    std::string oracle = TRY(context_.store.Meta(meta::kOracle)).value_or("0");
    if ((oracle == "1") != context_.slow_oracle) {
      return Refuse(oracle == "1" ? "was made with --slow-oracle"
                                  : "was made without --slow-oracle");
    }
    TRY(CheckMatrix(complete));
    int64_t max_before = stored_.at("max_mutants"), max_now = Now().at("max_mutants");
    if (max_now != 0 && (max_before == 0 || max_now < max_before)) {
      return Changed("max_mutants", max_before, max_now, " (it may only grow; 0 = all)");
    }
    for (const char* key : {"factor", "floor_s"}) {
      const Json &before = stored_.at("timeout").at(key), &now = Now().at("timeout").at(key);
      if (now.get<double>() < before.get<double>()) {
        return Changed(std::string("timeout.") + key, before, now, " (it may only grow)");
      }
    }
    TRY(CheckDevices());
    TRY(CheckOperators());
    return CheckModels(found);
  }

 private:
  const Json& Now() const { return context_.config.json; }

  Error Refuse(const std::string& what) const {
    return Fail(Code::kInvalidInput, context_.root.string(), ": the campaign in this folder ", what,
                "; take another --out for another campaign");
  }
  Error Changed(const std::string& key, const Json& before, const Json& now,
                const std::string& rule = "") const {
    return Refuse(fmt::format("has {} {}, {} says {}{}", key, Say(before), context_.config.file,
                              Say(now), rule));
  }
  Error Missing(const std::string& key, const std::string& name) const {
    return Refuse(
        fmt::format("has {} '{}', which {} does not have", key, name, context_.config.file));
  }

  Status CheckMatrix(bool complete) {
    std::string in_force = TRY(context_.store.Meta(meta::kMatrix)).value_or(stored_.at("matrix"));
    const Json &before = stored_.at("matrix"), &now = Now().at("matrix");
    // Once completed, the configuration may say what it always said, or what is now in force.
    if (complete || before == now || now == in_force) return Ok();
    if (now == "full") {
      return Refuse("has matrix 'early', " + context_.config.file +
                    " says 'full' (add --complete to run the missing images here)");
    }
    return Changed("matrix", before, now);
  }

  Status CheckDevices() const {
    for (const Json& before : stored_.at("devices")) {
      const Json* now = Find(Now().at("devices"), before.at("name"));
      if (now == nullptr) return Missing("device", before.at("name"));
      std::string name = "device '" + before.at("name").get<std::string>() + "' with ";
      if (TargetText(before.at("target")) != TargetText(now->at("target"))) {
        return Changed(name + "target", before.at("target"), now->at("target"));
      }
    }
    if (stored_.at("devices")[0].at("name") != Now().at("devices")[0].at("name")) {
      return Changed("the first device", stored_.at("devices")[0].at("name"),
                     Now().at("devices")[0].at("name"),
                     " (it fixed the order of images; add devices behind it)");
    }
    return Ok();
  }

  Status CheckOperators() const {
    std::set<std::string> now;
    for (const OperatorUse& use : context_.config.operators) now.insert(OperatorKey(use));
    Config before = TRY(ConfigFromStore(stored_));
    for (const OperatorUse& use : before.operators) {
      if (now.count(OperatorKey(use))) continue;
      std::string here = use.parameters.empty() ? "" : " " + DumpJson(use.parameters);
      if (!use.positions.empty()) here += " at positions " + use.positions;
      if (!use.scope.empty()) here += " of scope " + use.scope;
      return Refuse(fmt::format("has operator {}{}, which {} does not have", use.id, here,
                                context_.config.file));
    }
    return Ok();
  }

  Status CheckModels(const FoundImages& found) const {
    std::map<std::string, std::string> hashes;
    for (const StoredModel& model : TRY(context_.store.Models())) hashes[model.name] = model.hash;
    for (const Json& before : stored_.at("models")) {
      std::string name = before.at("name");
      const Json* now = Find(Now().at("models"), name);
      if (now == nullptr) return Missing("model", name);
      auto hash = hashes.find(name);
      if (hash != hashes.end() && hash->second != found.model_hash.at(name)) {
        return Refuse(fmt::format(
            "has model '{}' from a file with other content than {} (hash {} then, {} now)", name,
            now->at("path").get<std::string>(), hash->second.substr(0, 8),
            found.model_hash.at(name).substr(0, 8)));
      }
      for (const auto& [key, value] : before.at("preprocessing").items()) {
        const Json& value_now = now->at("preprocessing").at(key);
        if (value != value_now)
          return Changed("model '" + name + "' with preprocessing." + key, value, value_now);
      }
      TRY(CheckImages(name, found.of_model.at(name)));
    }
    return Ok();
  }

  Status CheckImages(const std::string& model, const std::vector<StoredImage>& found) const {
    std::map<std::string, const StoredImage*> now;
    for (const StoredImage& image : found) now[image.name] = &image;
    for (const StoredImage& before : TRY(context_.store.Images(model))) {
      auto image = now.find(before.name);
      if (image == now.end()) return Missing("image", before.name);
      if (image->second->hash != before.hash) {
        return Refuse(fmt::format(
            "has image '{}' with other content than {} (hash {} then, {} now)", before.name,
            image->second->path, before.hash.substr(0, 8), image->second->hash.substr(0, 8)));
      }
      if (before.truth >= 0 && image->second->truth != before.truth) {
        return Changed("image '" + before.name + "' with true class", before.truth,
                       image->second->truth);
      }
    }
    return Ok();
  }

  static const Json* Find(const Json& items, const std::string& name) {
    for (const Json& item : items) {
      if (item.at("name") == name) return &item;
    }
    return nullptr;
  }

  CampaignContext& context_;
  Json stored_;
};

// Targets by index: as stored, then the new ones in the configuration's order.
Status AssignTargets(CampaignContext& context) {
  std::map<std::string, int> known;
  for (const StoredDevice& device : TRY(context.store.Devices())) {
    Json target = TRY(ParseJson(device.target_json, "the stored device " + device.name));
    known.emplace(TargetText(target), device.target_index);
    if (context.targets.size() <= static_cast<size_t>(device.target_index)) {
      context.targets.resize(static_cast<size_t>(device.target_index) + 1);
    }
    context.targets[static_cast<size_t>(device.target_index)] = target;
  }
  for (const DeviceConfig& device : context.config.devices) {
    auto [at, fresh] =
        known.emplace(TargetText(device.target), static_cast<int>(context.targets.size()));
    if (fresh) context.targets.push_back(device.target);
    context.target_of_device[device.name] = at->second;
  }
  return Ok();
}

// Fates measured under a smaller limit that ended by it are to be measured again.
Status NoteTimeouts(CampaignContext& context, const Json& before) {
  const Json& now = context.config.json;
  if (before.at("timeout") == now.at("timeout")) return Ok();
  std::optional<std::string> noted = TRY(context.store.Meta(meta::kRerunTimeouts));
  Json rerun = noted ? TRY(ParseJson(*noted, "the stored list of timeouts")) : Json::object();
  for (const StoredModel& model : TRY(context.store.Models())) {
    for (const StoredDevice& device : TRY(context.store.Devices())) {
      std::set<std::string> mutants;
      for (const StoredFate& fate : TRY(context.store.Fates(model.name, device.name))) {
        if (fate.ending == "timeout") mutants.insert(fate.mutant);
      }
      if (!mutants.empty()) rerun[model.name][device.name] = mutants;
    }
  }
  return context.store.SetMeta(meta::kRerunTimeouts, DumpJson(rerun));
}

}  // namespace

Status CheckSameCampaign(CampaignContext& context, const FoundImages& found, bool complete) {
  std::optional<std::string> text = TRY(context.store.Meta(meta::kConfiguration));
  if (!text) return Ok();
  Json stored = TRY(ParseJson(*text, context.root.string() + ": its stored configuration"));
  return Comparison(context, TRY(ConfigFromStore(stored)).json).Check(found, complete);
}

Status RecordCampaign(CampaignContext& context, const FoundImages& found, bool complete) {
  Store& store = context.store;
  const Config& config = context.config;
  std::optional<std::string> before = TRY(store.Meta(meta::kConfiguration));
  std::string matrix = TRY(store.Meta(meta::kMatrix)).value_or(config.matrix);
  if (complete) matrix = "full";
  context.full_matrix = matrix == "full";
  TRY(AssignTargets(context));

  std::map<std::string, StoredModel> models;
  for (StoredModel& model : TRY(store.Models())) models[model.name] = model;
  std::vector<StoredModel> all_models;
  for (const ModelConfig& model : config.models) {
    StoredModel& entry = models[model.name];
    entry.name = model.name;
    entry.path = model.path;
    entry.hash = found.model_hash.at(model.name);
    all_models.push_back(entry);
  }
  TRY(store.PutModels(all_models));

  std::map<std::string, StoredDevice> devices;
  for (StoredDevice& device : TRY(store.Devices())) devices[device.name] = device;
  std::vector<StoredDevice> all_devices;
  for (const DeviceConfig& device : config.devices) {
    StoredDevice& entry = devices[device.name];
    entry.name = device.name;
    entry.target_json = TargetText(device.target);
    entry.session_json = TargetText(device.session);
    entry.target_index = context.target_of_device.at(device.name);
    all_devices.push_back(entry);
  }
  TRY(store.PutDevices(all_devices));

  if (before) {
    TRY(NoteTimeouts(
        context, TRY(ConfigFromStore(TRY(ParseJson(*before, "the stored configuration")))).json));
  } else {
    // From content, so that the same campaign made twice has one id.
    Json content = {{"configuration", config.hash},
                    {"models", found.model_hash},
                    {"slow", context.slow_oracle}};
    for (const auto& [model, images] : found.of_model) {
      for (const StoredImage& image : images) content["images"][model][image.name] = image.hash;
    }
    TRY(store.SetMeta(meta::kCampaign, HashBytes(DumpJson(content))));
    TRY(store.SetMeta(meta::kCreated, std::to_string(std::time(nullptr))));
    TRY(store.SetMeta(meta::kOracle, context.slow_oracle ? "1" : "0"));
  }
  TRY(store.SetMeta(meta::kToolVersion, kToolVersion));
  TRY(store.SetMeta(meta::kRulesVersion, ::mutatenn::kRulesVersion));
  for (const char* key : {"kill", "timing", "seed", "top_k", "level"}) {
    const Json& value = config.json.at(key);
    TRY(store.SetMeta(key, value.is_string() ? value.get<std::string>() : DumpJson(value)));
  }
  TRY(store.SetMeta(meta::kMatrix, matrix));
  TRY(store.SetMeta(meta::kConfigurationHash, config.hash));
  // Last: from here on the folder holds this campaign.
  return store.SetMeta(meta::kConfiguration, DumpJson(config.json));
}

Status RecallCampaign(CampaignContext& context) {
  context.full_matrix = TRY(context.store.Meta(meta::kMatrix)).value_or("early") == "full";
  context.slow_oracle = TRY(context.store.Meta(meta::kOracle)).value_or("0") == "1";
  return AssignTargets(context);
}

}  // namespace mutatenn
