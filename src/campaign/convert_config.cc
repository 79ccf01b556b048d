// Key by key: what has a counterpart is written in our words, what has none gets a note. The
// mutations themselves are mapped in mutation/tool_mutations.cc.
#include "campaign/convert_config.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "mutation/tool_mutations.h"

namespace mutatenn {
namespace {

constexpr int kServerPort = 9190;  // of `mutatenn-worker serve`

bool Says(const Json& object, const char* key) { return object.value(key, Json(false)) == true; }

// Null, false, 0, "" and empty lists ask for nothing.
bool AsksForNothing(const Json& value) {
  return value.is_null() || value == false || value == 0 || value == "" ||
         (value.is_array() && value.empty());
}

// "llvm -mtriple=x -mattr=+a,+b" -> {"kind": "llvm", "mtriple": "x", "mattr": ["+a", "+b"]}
Json TargetFrom(const std::string& text) {
  Json target = Json::object();
  for (size_t from = 0; from < text.size();) {
    const size_t to = std::min(text.find(' ', from), text.size());
    std::string word = text.substr(from, to - from);
    from = to + 1;
    if (word.empty()) continue;
    if (word[0] != '-') {
      target["kind"] = word;
      continue;
    }
    const size_t equal = std::min(word.find('='), word.size());
    const std::string key = word.substr(1, equal - 1);
    const std::string value = equal < word.size() ? word.substr(equal + 1) : "";
    if (key != "mattr") {
      target[key] = value;
      continue;
    }
    for (size_t at = 0; at < value.size();) {
      const size_t end = std::min(value.find(',', at), value.size());
      target[key].push_back(value.substr(at, end - at));
      at = end + 1;
    }
  }
  return target;
}

// Its preprocessing follows the model's name.
Json PreprocessingFor(std::string name, bool enabled) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  auto has = [&](const char* word) { return enabled && name.find(word) != std::string::npos; };
  if (has("mobilenet") || has("inception") || has("resnet"))
    return {{"scale", 1.0}, {"mean", {127.5, 127.5, 127.5}}, {"std", {127.5, 127.5, 127.5}}};
  if (has("shufflenet"))
    return {{"scale", 1 / 255.0}, {"mean", {0.485, 0.456, 0.406}}, {"std", {0.229, 0.224, 0.225}}};
  if (has("googlenet"))
    return {{"scale", 1.0},
            {"mean", {103.939, 116.779, 123.68}},
            {"std", {1, 1, 1}},
            {"channels", "BGR"}};
  if (has("densenet"))
    return {{"scale", 1.0}, {"mean", {123.68, 116.78, 103.94}}, {"std", {1, 1, 1}}};
  return {{"scale", 1.0}, {"mean", {0, 0, 0}}, {"std", {1, 1, 1}}};
}

class Converter {
 public:
  Converter(const Json& json, const std::string& list, const OperatorCatalog& operators)
      : json_(json), list_(list), operators_(operators) {}

  Result<ConvertedConfig> Convert() {
    for (const char* key : {"models", "devices", "mutations"})
      if (!json_.is_object() || !json_.contains(key))
        return Fail(Code::kInvalidInput, "has no '", key,
                    "'; this command reads the config.json of luludak/MutateNN");
    if (!json_.contains(list_) || !json_.at(list_).is_object())
      return Fail(Code::kInvalidInput, "has no list '", list_,
                  "'; say 'mutations', 'mutations_parameterized' or 'mutations_all'");
    ReadModels();
    ReadDataset();
    ReadDevice();
    TRY(ReadMutations());
    ReadTheRest();
    for (const char* key : {"models", "operators"})
      if (converted_.config.value(key, Json::array()).empty())
        return Fail(Code::kInvalidInput, "nothing is left of its '", key, "': ",
                    converted_.notes.empty() ? "the list is empty" : converted_.notes.front());
    return std::move(converted_);
  }

 private:
  void Note(const std::string& key, const std::string& text) {
    converted_.notes.push_back(key + ": " + text);
  }

  void ReadModels() {
    Json& models = converted_.config["models"] = Json::array();
    const Json& theirs = json_.at("models");
    for (size_t i = 0; i < theirs.size(); ++i) {
      const Json& model = theirs[i];
      const std::string at = fmt::format("models[{}]", i);
      const std::string name = model.value("name", at);
      if (Says(model, "skip_analysis")) {
        Note(at, "'" + name + "' is marked skip_analysis; left out");
        continue;
      }
      std::string path = model.value("url", "");
      if (model.value("type", "") == "remote") {
        const std::string url = path;
        path = model.value("alias", name + ".onnx");
        Note(at + ".url",
             "models are not downloaded; put " + url + " beside the configuration as " + path);
      }
      if (model.contains("library") || model.contains("dll_libraries"))
        Note(at + ".library", "only ONNX files are read");
      Json preprocessing = PreprocessingFor(name, Says(json_, "preprocessing_enabled"));
      const Json layers = model.value("layers", Json::object());
      const Json side = layers.value("image_dimension", Json::array({224, 224}));
      const Json input = layers.value("input", Json::array({1, 3, 224, 224}));
      preprocessing["resize_short_side"] = preprocessing["crop"] = side.at(0);
      preprocessing["layout"] = input.size() == 4 && input[3] == 3 ? "NHWC" : "NCHW";
      models.push_back({{"name", name}, {"path", path}, {"preprocessing", preprocessing}});
      active_.push_back(name);
    }
    Note("models[].layers.image_dimension",
         "the tool stretches an image to it; here the short side is resized and the middle taken, "
         "which is the same for square images");
  }

  void ReadDataset() {
    const Json datasets = json_.value("datasets", Json::array());
    const size_t selected = json_.value("selected_dataset", size_t{0});
    std::string path = "images";
    if (selected < datasets.size()) path = datasets[selected].value("dataset_path_relative", path);
    path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
    converted_.config["images"] = {{"path", path}};
    for (size_t i = 0; i < datasets.size(); ++i)
      if (i != selected) Note(fmt::format("datasets[{}]", i), "not selected; left out");
  }

  void ReadDevice() {
    const Json& devices = json_.at("devices");
    const std::string selected = devices.value("selected", "");
    for (const auto& [name, device] : devices.items()) {
      if (!device.is_object()) continue;
      if (name != selected) {
        Note("devices." + name, "not selected; left out");
        continue;
      }
      Json target = TargetFrom(device.value("target", "llvm"));
      if (target.value("kind", "") != "llvm" && device.contains("host"))
        target["host"] = TargetFrom(device.at("host").get<std::string>());
      Json converted = {{"name", name}, {"target", target}};
      if (device.value("host_type", "") == "remote") {
        const std::string server =
            fmt::format("tcp://{}:{}", device.value("address", "127.0.0.1"), kServerPort);
        converted["session"] = {{"kind", "remote"}, {"servers", {server}}};
        Note("devices." + name + ".address",
             "run `mutatenn-worker serve` there, in place of TVM's RPC server, and put its port "
             "into " +
                 server);
      }
      converted_.config["devices"] = Json::array({converted});
    }
    if (!converted_.config.contains("devices")) {
      converted_.config["devices"] =
          Json::array({{{"name", "host"}, {"target", {{"kind", "llvm"}, {"mcpu", "host"}}}}});
      Note("devices.selected", "'" + selected + "' is not there; this machine's CPU is taken");
    }
  }

  Status ReadMutations() {
    if (!json_.value("enable_mutations", true))
      Note("enable_mutations", "false: the tool would mutate nothing; its list is converted");
    const Json& lists = json_.at(list_);
    for (const char* level : {"relay", "tir"}) {
      const Json entries = lists.value(level, Json::array());
      const Json positions = PositionsOf(lists, level);
      for (size_t i = 0; i < entries.size(); ++i)
        TRY(ReadMutation(entries[i], fmt::format("{}.{}[{}]", list_, level, i), positions));
    }
    for (const char* list : {"mutations", "mutations_parameterized", "mutations_all"})
      if (list != list_ && json_.contains(list))
        Note(list, "left out; --list " + std::string(list) + " converts it");
    return Ok();
  }

  // Of the first model that is analysed: uses have one meaning for all models here.
  Json PositionsOf(const Json& lists, const char* level) {
    const Json by_model = lists.value("positions", Json::object());
    Json positions;
    for (const std::string& model : active_) {
      const Json own = by_model.value(model, Json::object()).value(level, Json());
      if (model == active_.front()) {
        positions = own;
      } else if (own != positions) {
        Note(
            fmt::format("{}.positions.{}.{}", list_, model, level),
            "other positions than " + active_.front() + "'s; left out, make a campaign of its own");
      }
    }
    for (const auto& [model, own] : by_model.items())
      if (std::find(active_.begin(), active_.end(), model) == active_.end())
        Note(fmt::format("{}.positions.{}", list_, model), "the model is left out");
    return positions;
  }

  Status ReadMutation(const Json& entry, const std::string& at, const Json& positions) {
    const std::string title = entry.is_object() ? entry.value("title", "") : "";
    const std::string where = title.empty() ? at : at + " '" + title + "'";
    if (entry.is_object() && Says(entry, "skip")) {
      Note(where, "marked skip; left out");
      return Ok();
    }
    Result<ConvertedMutation> converted = ConvertToolMutation(entry);
    if (!converted.ok()) {
      Note(where, converted.error().message + "; left out");
      return Ok();
    }
    OperatorUse& use = converted->use;
    if (std::find(operators_.ids.begin(), operators_.ids.end(), use.id) == operators_.ids.end()) {
      Note(where, "needs '" + use.id + "', an operator that this mutatenn lacks; left out");
      return Ok();
    }
    Result<Json> checked = operators_.check(use.id, use.parameters);
    if (!checked.ok()) {
      Note(where, "'" + use.id + "': " + checked.error().message + "; left out");
      return Ok();
    }
    if (!converted->note.empty()) Note(where, converted->note);
    if (positions.is_array() && !positions.empty()) {
      // There each position is a mutant of its own, counted from 1.
      for (const Json& position : positions) {
        Json ours = position;
        if (position.is_number_integer()) ours = Json::array({position.get<int64_t>() - 1});
        TRY(Write(use, ours, where));
      }
      return Ok();
    }
    const int64_t start = entry.value("start", int64_t{1}), end = entry.value("end", int64_t{-1});
    if (start <= 1 && end == -1) return Write(use, "all", where);
    const std::string last = end == -1 ? "" : std::to_string(end - 1);
    return Write(use, fmt::format("{}-{}", start - 1, last), where);
  }

  Status Write(const OperatorUse& use, const Json& positions, const std::string& where) {
    Json entry = {{"id", use.id}, {"positions", positions}};
    for (const auto& [key, value] : use.parameters.items()) entry[key] = value;
    if (!written_.insert(entry.dump()).second) {
      Note(where, "the same as an entry before it; left out");
      return Ok();
    }
    converted_.config["operators"].push_back(std::move(entry));
    return Ok();
  }

  void ReadTheRest() {
    const int64_t level = json_.value("opt_level", int64_t{3});
    converted_.config["level"] = level <= 2 ? 2 : 3;
    if (level != 2 && level != 3)
      Note("opt_level", fmt::format("{} is not there; {} is taken", level, level <= 2 ? 2 : 3));
    converted_.config["matrix"] = "full";
    converted_.config["top_k"] = 5;
    const std::set<std::string> read = {"models",
                                        "devices",
                                        "datasets",
                                        "selected_dataset",
                                        "mutations",
                                        "opt_level",
                                        "note",
                                        "note2",
                                        "mutations_parameterized",
                                        "mutations_all",
                                        "backend",
                                        "build",
                                        "enable_mutations",
                                        "preprocessing_enabled"};
    for (const auto& [key, value] : json_.items()) {
      if (read.count(key) || AsksForNothing(value) || (key == "runs_no" && value == 1)) continue;
      if (key == "required_pass" || key == "disabled_pass")
        ReadPasses(key, value);
      else
        Note(key, key == "disabled_pass2" ? "is a spare list that the tool does not read; left out"
                                          : "has no meaning here; left out");
    }
  }

  // Relay's passes, by which the tool compiles the original and every mutant. Ours are a fixed
  // list.
  void ReadPasses(const std::string& key, const Json& names) {
    static const std::map<std::string, std::string> always = {
        {"SimplifyInference", "batch norm always becomes scale and shift"},
        {"OpFusion",
         "operators are always fused; the operator build.fusion breaks that at a point"},
        {"EliminateCommonSubexpr",
         "kernels always go through CommonSubexprElim; the operator "
         "build.pass_dropped makes mutants without it"}};
    const bool required = key == "required_pass";
    for (const Json& item : names) {
      const std::string name = item.is_string() ? item.get<std::string>() : item.dump();
      const auto found = always.find(name);
      const bool runs = found != always.end();
      Note(key + " '" + name + "'",
           runs == required ? std::string(runs ? "so it is" : "so it is: no such pass is run")
           : runs           ? found->second + "; left out"
                            : "no such pass is run; left out");
    }
  }

  const Json& json_;
  const std::string& list_;
  const OperatorCatalog& operators_;
  ConvertedConfig converted_;
  std::vector<std::string> active_;  // names of the models that are analysed
  std::set<std::string> written_;
};

}  // namespace

Result<ConvertedConfig> ConvertToolConfig(const Json& json, const std::string& list,
                                          const OperatorCatalog& operators) {
  try {
    return Converter(json, list, operators).Convert();
  } catch (const Json::exception& error) {
    return Fail(Code::kInvalidInput, "is not as the original tool writes it: ", error.what());
  }
}

}  // namespace mutatenn
