// Rows of the store back to what they were made of.
#include "campaign/rebuild.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "campaign/steps.h"

namespace mutatenn {
namespace {

Result<Level> LevelOf(const std::string& name) {
  for (Level level : {Level::kGraph, Level::kCode, Level::kLowered, Level::kBuild})
    if (name == LevelName(level)) return level;
  return Fail(Code::kInternal, "the store has a mutant of level '", name, "'");
}

}  // namespace

Result<const ModelConfig*> StoredCampaign::Model(const std::string& name) const {
  for (const ModelConfig& model : config.models)
    if (model.name == name) return &model;
  return Fail(Code::kNotFound, folder, ": has no model '", name, "'");
}

Result<const DeviceConfig*> StoredCampaign::Device(const std::string& name) const {
  std::vector<std::string> names;
  for (const DeviceConfig& device : config.devices) {
    if (device.name == name || name.empty()) return &device;
    names.push_back(device.name);
  }
  return Fail(Code::kInvalidInput, folder, ": has no device '", name,
              fmt::format("'; it has '{}'", fmt::join(names, "', '")));
}

Result<StoredMutant> StoredCampaign::FindMutant(const std::string& id) const {
  for (const ModelConfig& model : config.models)
    for (StoredMutant& mutant : TRY(store->Mutants(model.name)))
      if (mutant.id == id) return std::move(mutant);
  return Fail(Code::kNotFound, folder, ": has no mutant '", id, "'");
}

Result<std::string> StoredCampaign::WhereItWas(const std::string& file) const {
  if (file.empty() || file[0] == '/') return file;
  for (const StoredModel& stored : TRY(store->Models())) {
    const std::string end = "/" + TRY(Model(stored.name))->path;
    if (stored.path.ends_with(end))
      return stored.path.substr(0, stored.path.size() - end.size() + 1) + file;
  }
  return file;
}

Result<Mutant> StoredCampaign::Rebuild(const StoredMutant& stored) const {
  const std::string where = "the stored mutant " + stored.id;
  const Json use = TRY(ParseJson(stored.use_json, where));
  Mutant mutant;
  mutant.id = stored.id;
  mutant.use.id = stored.op_id;
  mutant.use.parameters = use.value("parameters", Json::object());
  mutant.use.positions = use.value("positions", "");
  mutant.use.scope = use.value("scope", "");
  for (const OperatorUse& known : config.operators)
    if (OperatorKey(known) == stored.op_key) mutant.use.file = TRY(WhereItWas(known.file));
  mutant.category = stored.category;
  mutant.level = TRY(LevelOf(stored.level));
  mutant.place = stored.place;
  for (const Json& point : TRY(ParseJson(stored.points_json, where)))
    mutant.points.push_back(TRY(MutationPoint::FromJson(point)));
  return mutant;
}

Result<GeneratorOptions> StoredCampaign::Generator(const ModelConfig& model, const Json& target,
                                                   const std::string& root) const {
  GeneratorOptions options;
  options.model_name = model.name;
  for (const StoredModel& stored : TRY(store->Models())) {
    if (stored.name != model.name) continue;
    options.model_path = stored.path;
    if (HashBytes(TRY(ReadFile(stored.path))) != stored.hash)
      return Fail(Code::kInvalidInput, stored.path, ": is not the file that ", folder,
                  " was made of; put that one back");
  }
  options.targets = {TargetText(target)};
  options.level = config.level;
  options.root = root;
  options.batch = 1;
  return options;
}

Result<StoredCampaign> OpenStoredCampaign(const std::string& folder) {
  if (!std::filesystem::exists(StorePath(folder)))
    return Fail(Code::kNotFound, folder, ": holds no campaign");
  StoredCampaign campaign;
  campaign.folder = folder;
  campaign.store = TRY(Store::OpenReadOnly(StorePath(folder)));
  const auto text = TRY(campaign.store->Meta(meta::kConfiguration));
  if (!text) return Fail(Code::kInvalidInput, folder, ": was not built to its end");
  campaign.config = TRY(ConfigFromStore(TRY(ParseJson(*text, folder))));
  return campaign;
}

}  // namespace mutatenn
