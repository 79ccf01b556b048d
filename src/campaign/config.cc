// From the text of a configuration to Config: the table checks keys and types, this file what lies
// between keys: names used once, files that exist, operators that are known.
#include "campaign/config.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/number.h"
#include "campaign/config_operators.h"
#include "campaign/key_table.h"
#include "campaign/sessions.h"
#include "judge/kill_rule.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

Json Sorted(const Json& value) {
  if (value.is_object()) {
    std::map<std::string, Json> items;
    for (const auto& [key, item] : value.items()) items[key] = Sorted(item);
    Json sorted = Json::object();
    for (auto& [key, item] : items) sorted[key] = std::move(item);
    return sorted;
  }
  if (value.is_array()) {
    Json sorted = Json::array();
    for (const Json& item : value) sorted.push_back(Sorted(item));
    return sorted;
  }
  return value;
}

// Names that are used twice, in lists of objects with "name".
Status CheckNames(const Json& items, const std::string& where, const std::string& list) {
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < items.size(); ++i) {
    std::string name = items[i].at("name");
    auto [at, fresh] = seen.emplace(name, i);
    if (!fresh) {
      return Fail(Code::kInvalidInput, where,
                  fmt::format("{0}[{1}].name: '{2}' is the name of {0}[{3}] too; give each its own",
                              list, i, name, at->second));
    }
    for (unsigned char c : name) {
      if (c < 32) {
        return Fail(Code::kInvalidInput, where,
                    fmt::format("{}[{}].name: holds a control character", list, i));
      }
    }
  }
  return Ok();
}

Status CheckTarget(const Json& target, const std::string& at) {
  if (target.is_string()) return Ok();
  auto kind = target.find("kind");
  if (kind == target.end()) {
    return Fail(Code::kInvalidInput, at, ".kind: is missing; say \"llvm\" for a CPU");
  }
  if (!kind->is_string())
    return Fail(Code::kInvalidInput, at, ".kind: must be a string such as \"llvm\"");
  auto mcpu = target.find("mcpu");
  if (mcpu == target.end()) return Ok();
  if (!mcpu->is_string())
    return Fail(Code::kInvalidInput, at, ".mcpu: must be a string; say \"host\"");
  if (*mcpu == "native") {
    return Fail(Code::kInvalidInput, at, ".mcpu: 'native' is no CPU name TVM knows; say \"host\"");
  }
  return Ok();
}

class Reader {
 public:
  // `base` absent: paths are not resolved and files are not looked for.
  Reader(std::string where, std::optional<fs::path> base)
      : where_(std::move(where)), base_(std::move(base)) {}

  Result<Config> Read(const Json& json, const OperatorCatalog* catalog) {
    Config config;
    config.json = json;
    config.kill = json.at("kill");
    config.top_k = json.at("top_k");
    TRY(CheckKill(config));
    TRY(CheckSeverity(json));
    config.matrix = json.at("matrix");
    config.timing = json.at("timing");
    config.seed = json.at("seed");
    config.max_mutants = json.at("max_mutants");
    config.timeout_factor = json.at("timeout").at("factor");
    config.timeout_floor_s = json.at("timeout").at("floor_s");
    config.level = json.at("level");
    if (config.level > 3) {
      return Fail(Code::kInvalidInput, where_, "level: is ", std::to_string(config.level),
                  "; it must be 2 or 3");
    }
    config.repeats = json.at("repeats");
    config.floors = json.at("floors");
    config.mutant_repeats = json.at("mutant_repeats");
    if (config.mutant_repeats > 1 && config.matrix != "full") {
      return Fail(Code::kInvalidInput, where_, "mutant_repeats: is ",
                  std::to_string(config.mutant_repeats),
                  "; mutants are run again under \"matrix\": \"full\" only");
    }
    config.jobs = json.at("jobs");
    if (config.jobs == 0) config.jobs = std::max(1u, std::thread::hardware_concurrency());
    config.cache = json.at("cache");
    if (base_ && !config.cache.empty()) config.cache = Resolve(config.cache);
    TRY(ReadModels(json, &config));
    TRY(ReadDevices(json, &config));
    auto resolve = [&](const std::string& path, const std::string& key) {
      return ExistingFile(path, key, /*folder_allowed=*/false);
    };
    config.operators = TRY(
        ReadOperators(json.at("operators"), where_, catalog, resolve, &config.json["operators"]));
    Json hashed = config.json;
    for (const char* key :
         {"jobs", "memory_budget_mb", "cache", "repeats", "mutant_repeats", "floors", "severity"})
      hashed.erase(key);
    if (hashed.contains("images")) hashed["images"].erase("groups");
    for (Json& model : hashed["models"])
      if (model.contains("images")) model["images"].erase("groups");
    for (Json& device : hashed["devices"]) {
      device.erase("jobs");
      // Where a device is may change (an address, a worker's limits); what it computes may not.
      for (const char* key : {"memory_budget_mb", "session", "timeout", "recover", "bitwise"})
        device.erase(key);
    }
    config.hash = HashBytes(DumpJson(hashed));
    return config;
  }

 private:
  std::string Resolve(const std::string& path) const {
    return fs::absolute(*base_ / path).lexically_normal().string();
  }

  Result<std::string> ExistingFile(const std::string& path, const std::string& key,
                                   bool folder_allowed) const {
    if (!base_ || path.empty()) return path;
    std::string resolved = Resolve(path);
    std::error_code error;
    fs::file_status status = fs::status(resolved, error);
    if (!fs::exists(status)) {
      return Fail(Code::kInvalidInput, where_, key, ": '", path, "' does not exist (looked for ",
                  resolved, "; paths are relative to the configuration)");
    }
    if (fs::is_directory(status) && !folder_allowed) {
      return Fail(Code::kInvalidInput, where_, key, ": '", path, "' is a folder; name a file");
    }
    return resolved;
  }

  Result<ImagesConfig> ReadImages(const Json& json, const std::string& key) const {
    ImagesConfig images;
    images.path = TRY(ExistingFile(json.at("path"), key + ".path", /*folder_allowed=*/true));
    images.truth = TRY(ExistingFile(json.at("truth"), key + ".truth", /*folder_allowed=*/false));
    return images;
  }

  Status CheckKill(const Config& config) const {
    Result<KillRule> rule = ParseKillRule(config.kill);
    if (rule.ok() && rule->kind == KillRule::Kind::kTopK && rule->k > config.top_k)
      return Fail(Code::kInvalidInput, where_, "kill: ", config.kill, " needs more labels than ",
                  "`top_k` keeps, ", std::to_string(config.top_k));
    if (!rule.ok()) return Fail(Code::kInvalidInput, where_, "kill: ", rule.error().message);
    if (rule->command.empty()) return Ok();
    // A campaign goes to other people, whose machines it must not tell what to run.
    return Fail(Code::kInvalidInput, where_, "kill: a command is given to `mutatenn analyze` and ",
                "`report` with --kill, not in the configuration");
  }

  // A name that no class has would never fit.
  Status CheckSeverity(const Json& json) const {
    std::set<std::string> groups = {"*"};
    auto add = [&](const Json& of) {
      if (!of.contains("images") || !of["images"].contains("groups")) return;
      for (const Json& group : of["images"]["groups"]) groups.insert(group.at("name"));
    };
    add(json);
    for (const Json& model : json.at("models")) add(model);
    const Json rows = json.contains("severity") ? json["severity"] : Json::array();
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const char* key : {"from", "to"}) {
        const std::string name = rows[i].at(key);
        if (groups.count(name) || NumberFrom<int64_t>(name)) continue;
        return Fail(Code::kInvalidInput, where_,
                    fmt::format("severity[{}].{}: '{}' is no group of `images.groups`, no class "
                                "number and not *",
                                i, key, name));
      }
    }
    return Ok();
  }

  Status ReadModels(const Json& json, Config* config) const {
    const Json& models = json.at("models");
    TRY(CheckNames(models, where_, "models"));
    std::optional<ImagesConfig> common;
    if (json.contains("images")) common = TRY(ReadImages(json.at("images"), "images"));
    for (size_t i = 0; i < models.size(); ++i) {
      const Json& entry = models[i];
      std::string at = fmt::format("models[{}]", i);
      ModelConfig model;
      model.name = entry.at("name");
      model.path = TRY(ExistingFile(entry.at("path"), at + ".path", /*folder_allowed=*/false));
      model.classes =
          TRY(ExistingFile(entry.at("classes"), at + ".classes", /*folder_allowed=*/false));
      const Json& pre = entry.at("preprocessing");
      model.preprocessing.resize_short_side = pre.at("resize_short_side");
      model.preprocessing.crop = pre.at("crop");
      model.preprocessing.channels = pre.at("channels");
      model.preprocessing.layout = pre.at("layout");
      model.preprocessing.scale = pre.at("scale");
      model.preprocessing.mean = pre.at("mean").get<std::vector<double>>();
      model.preprocessing.std = pre.at("std").get<std::vector<double>>();
      for (double deviation : model.preprocessing.std) {
        if (deviation == 0) {
          return Fail(Code::kInvalidInput, where_, at,
                      ".preprocessing.std: holds a 0; pixels are divided by it");
        }
      }
      int resize = model.preprocessing.resize_short_side, crop = model.preprocessing.crop;
      if (resize > 0 && crop > resize) {
        return Fail(Code::kInvalidInput, where_, at,
                    fmt::format(".preprocessing.crop: {} does not fit into resize_short_side, {}",
                                crop, resize));
      }
      if (entry.contains("images")) {
        model.images = TRY(ReadImages(entry.at("images"), at + ".images"));
      } else if (common) {
        model.images = *common;
      } else {
        return Fail(Code::kInvalidInput, where_, "images: is missing; it names the images to run ",
                    at, " on");
      }
      config->models.push_back(std::move(model));
    }
    return Ok();
  }

  Status ReadDevices(const Json& json, Config* config) const {
    const Json& devices = json.at("devices");
    TRY(CheckNames(devices, where_, "devices"));
    for (size_t i = 0; i < devices.size(); ++i) {
      const Json& entry = devices[i];
      std::string at = fmt::format("devices[{}]", i);
      DeviceConfig device;
      device.name = entry.at("name");
      device.target = entry.at("target");
      TRY(CheckTarget(device.target, where_ + at + ".target"));
      auto resolve = [&](const std::string& path, const std::string& key) {
        return ExistingFile(path, key, /*folder_allowed=*/false);
      };
      device.session = TRY(CheckSession(entry.at("session"), where_, at + ".session", resolve));
      config->json["devices"][i]["session"] = device.session;
      device.timeout_s = entry.at("timeout");
      device.recover = entry.at("recover");
      device.bitwise = entry.at("bitwise");
      device.jobs = entry.value("jobs", config->jobs);
      // Devices are worked through one after the other, so one local worker is alive at a time and
      // has the whole budget.
      device.memory_budget_mb =
          entry.value("memory_budget_mb", json.at("memory_budget_mb").get<int64_t>());
      config->devices.push_back(std::move(device));
    }
    return Ok();
  }

  std::string where_;
  std::optional<fs::path> base_;
};

}  // namespace

Result<Config> ParseConfig(const std::string& text, const std::string& file,
                           const OperatorCatalog& operators) {
  Json json = TRY(ParseJson(text, file));
  std::string where = file + ": ";
  if (!json.is_object()) return Fail(Code::kInvalidInput, where, "it must hold one object {...}");
  Json normal = TRY(CheckObject(json, CampaignKeys(), where, ""));
  Config config = TRY(Reader(where, fs::path(file).parent_path()).Read(normal, &operators));
  config.file = file;
  return config;
}

Result<Config> ReadConfig(const std::string& file, const OperatorCatalog& operators) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return Fail(Code::kInvalidInput, file, ": is a folder; name a configuration file");
  }
  return ParseConfig(TRY(ReadFile(file)), file, operators);
}

Result<Config> ConfigFromStore(const Json& json) {
  // Written by us, but perhaps by an older version: the table fills in what is new.
  Json normal = TRY(CheckObject(json, CampaignKeys(), "the stored configuration: ", ""));
  return Reader("the stored configuration: ", std::nullopt).Read(normal, nullptr);
}

std::string OperatorKey(const OperatorUse& use) {
  std::string key = use.id + " " + DumpJson(Sorted(use.parameters));
  if (!use.positions.empty()) key += " " + use.positions;
  if (!use.scope.empty()) key += " scope " + use.scope;
  return key;
}

std::string TargetText(const Json& target) { return DumpJson(Sorted(target)); }

}  // namespace mutatenn
