// A campaign's configuration: what the user's JSON file says, checked, with defaults filled in and
// paths made absolute. Everything that can be refused without running anything is refused here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/model.h"
#include "mutation/mutant.h"

namespace mutatenn {

struct ImagesConfig {
  std::string path, truth;  // truth "" = none
};
struct ModelConfig {
  std::string name, path, classes;  // classes "" = none
  Preprocessing preprocessing;
  ImagesConfig images;  // the model's own or the campaign's
};
struct DeviceConfig {
  std::string name;
  Json target, session;
  int jobs = 1;
  int64_t memory_budget_mb = 2048;
  double timeout_s = 600;  // for an answer of a server
  std::string bitwise;     // devices of the same name agree in every bit; "" = with none
  std::string recover;     // shell command that brings a lost server back; "" = none
};

struct Config {
  std::vector<ModelConfig> models;
  std::vector<DeviceConfig> devices;
  std::vector<OperatorUse> operators;
  std::string kill, matrix, timing;
  int top_k = 5;
  uint64_t seed = 1;
  int max_mutants = 0;  // 0 = all
  double timeout_factor = 10, timeout_floor_s = 1;
  int jobs = 1;
  int level = 3;
  int repeats = 5;         // runs of the original on each image of a device
  int mutant_repeats = 1;  // runs of a mutant on each image, under a full matrix
  int floors = 2;          // images that rounding floors are measured on; 0 = none are
  std::string cache;       // "" = the campaign's own
  std::string file;        // where it was read from, for messages
  Json json;         // normalised: defaults filled in, keys in the table's order, paths as written
  std::string hash;  // of `json` without what no verdict depends on (jobs, memory, cache)
};

// What configuration needs to know of the mutation operators; tests bring their own.
struct OperatorCatalog {
  std::vector<std::string> ids;  // sorted
  // An operator's own parameters, checked, with defaults filled in. The error starts with the key.
  std::function<Result<Json>(const std::string& id, const Json& given)> check;
  std::vector<std::string> presets = {};  // their names
  std::function<std::vector<OperatorUse>(const std::string& preset)> uses_of = {};
};
OperatorCatalog RegisteredOperators();

// `file`: for messages and as the base of relative paths. Checks that the named files exist.
Result<Config> ParseConfig(const std::string& text, const std::string& file,
                           const OperatorCatalog& operators);
Result<Config> ReadConfig(const std::string& file, const OperatorCatalog& operators);
// From a stored `Config::json`, on a machine that need not have the user's files.
Result<Config> ConfigFromStore(const Json& json);

// The use of a user's own operator, from a file beside the configuration.
inline constexpr const char* kPythonOperator = "python";

// One use of an operator, canonical: id, parameters, positions and scope.
std::string OperatorKey(const OperatorUse& use);
// Two targets with equal text are one target: keys sorted, compact.
std::string TargetText(const Json& target);

}  // namespace mutatenn
