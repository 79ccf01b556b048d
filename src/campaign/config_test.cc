// Every way to get a configuration wrong, and the exact line it gives.
#include "campaign/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "campaign/key_table.h"
#include "mutation/positions.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;

// Two operators, one with a parameter; no TVM.
OperatorCatalog SmallCatalog() {
  OperatorCatalog catalog;
  catalog.ids = {"code.store_add", "graph.activation"};
  catalog.check = [](const std::string& id, const Json& given) -> Result<Json> {
    Json checked = Json::object();
    if (id == "code.store_add") checked["value"] = given.value("value", Json(1.0));
    for (const auto& [key, value] : given.items()) {
      if (!checked.contains(key))
        return Fail(Code::kInvalidInput, key, ": is no parameter of '", id, "'");
      if (!value.is_number()) return Fail(Code::kInvalidInput, key, ": must be a number");
    }
    return checked;
  };
  catalog.presets = {"default", "paper", "code"};
  catalog.uses_of = [](const std::string& preset) -> std::vector<OperatorUse> {
    const OperatorUse add{"code.store_add", Json{{"value", 2.0}}, ""};
    if (preset == "code") return {add};
    if (preset == "paper") return {{"graph.gone", Json::object(), "\"all\""}, add};
    return {add, {"graph.activation", Json::object(), ""}};
  };
  return catalog;
}

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("config_test." + std::to_string(::getpid()));
    fs::create_directories(folder_ / "images");
    std::ofstream(folder_ / "net.onnx") << "x";
    std::ofstream(folder_ / "classes.txt") << "cat\n";
    file_ = (folder_ / "campaign.json").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  static Json Good() {
    return {{"models", Json::array({{{"name", "net"}, {"path", "net.onnx"}}})},
            {"images", {{"path", "images"}}},
            {"devices", Json::array({{{"name", "a"}, {"target", {{"kind", "llvm"}}}}})},
            {"operators", Json::array({{{"id", "graph.activation"}}})}};
  }
  Result<Config> Parse(const Json& json) { return ParseConfig(json.dump(), file_, SmallCatalog()); }

  fs::path folder_;
  std::string file_;
};

TEST_F(ConfigTest, FillsInDefaultsAndResolvesPaths) {
  Result<Config> config = Parse(Good());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->models[0].path, (folder_ / "net.onnx").string());
  EXPECT_EQ(config->models[0].images.path, (folder_ / "images").string());
  EXPECT_EQ(config->models[0].preprocessing.crop, 224);
  EXPECT_EQ(config->matrix, "early");
  EXPECT_EQ(config->top_k, 5);
  EXPECT_EQ(config->timeout_factor, 10);
  EXPECT_EQ(config->devices[0].memory_budget_mb, 2048);
  EXPECT_EQ(config->devices[0].session, (Json{{"kind", "local"}}));
  EXPECT_GE(config->jobs, 1);
}

TEST_F(ConfigTest, TakesComments) {
  std::string text = Good().dump();
  EXPECT_TRUE(ParseConfig("// a campaign\n" + text + "/* end */", file_, SmallCatalog()).ok());
}

TEST_F(ConfigTest, WhatNoVerdictDependsOnDoesNotChangeTheHash) {
  std::string hash = Parse(Good()).value().hash;
  Json json = Good();
  json["matrix"] = "full";
  hash = Parse(json).value().hash;
  json["mutant_repeats"] = 3;
  json["jobs"] = 7;
  json["memory_budget_mb"] = 64;
  json["cache"] = "somewhere";
  json["devices"][0]["jobs"] = 3;
  json["images"]["groups"] = Json::array({{{"name", "signs"}, {"classes", {1, 2}}}});
  json["severity"] = Json::array({{{"from", "signs"}, {"to", "7"}, {"weight", 2}}});
  EXPECT_EQ(Parse(json).value().hash, hash);
  json["seed"] = 2;
  EXPECT_NE(Parse(json).value().hash, hash);
}

TEST_F(ConfigTest, StoredConfigurationReadsBackTheSame) {
  Json json = Good();
  json["operators"].push_back(
      {{"id", "code.store_add"}, {"value", 0.5}, {"positions", Json::array({3, 7})}});
  Config config = Parse(json).value();
  Result<Config> stored = ConfigFromStore(ParseJson(DumpJson(config.json), "stored").value());
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  EXPECT_EQ(stored->json, config.json);
  EXPECT_EQ(stored->hash, config.hash);
  ASSERT_EQ(stored->operators.size(), 2u);
  EXPECT_EQ(OperatorKey(stored->operators[1]), OperatorKey(config.operators[1]));
  EXPECT_EQ(OperatorKey(config.operators[1]), "code.store_add {\"value\":0.5} [3,7]");
}

TEST_F(ConfigTest, ModelsOwnImagesCountInsteadOfTheCampaigns) {
  Json json = Good();
  fs::create_directories(folder_ / "own");
  json["models"][0]["images"] = {{"path", "own"}};
  EXPECT_EQ(Parse(json).value().models[0].images.path, (folder_ / "own").string());
  json.erase("images");
  EXPECT_TRUE(Parse(json).ok());
}

struct BadInput {
  const char* name;
  std::function<void(Json&)> spoil;
  std::string message;  // after "FILE: "; FOLDER stands for the configuration's
};

void PrintTo(const BadInput& bad, std::ostream* out) { *out << bad.name; }

class BadConfig : public ConfigTest, public testing::WithParamInterface<BadInput> {};

TEST_P(BadConfig, IsRefusedWithOneLine) {
  Json json = Good();
  GetParam().spoil(json);
  Result<Config> config = Parse(json);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, Code::kInvalidInput);
  std::string expected = file_ + ": " + GetParam().message;
  if (auto at = expected.find("FOLDER"); at != std::string::npos)
    expected.replace(at, 6, folder_.string());
  EXPECT_EQ(config.error().message, expected);
  EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadConfig,
    testing::Values(
        BadInput{"unknown_key", [](Json& j) { j["max_mutant"] = 3; },
                 "max_mutant: unknown key; did you mean 'max_mutants'?"},
        BadInput{"unknown_key_far", [](Json& j) { j["images"]["colour"] = 3; },
                 "images.colour: unknown key; the keys here are path, truth, groups"},
        BadInput{"misspelt_required_key",
                 [](Json& j) {
                   j["device"] = j["devices"];
                   j.erase("devices");
                 },
                 "device: unknown key; did you mean 'devices'?"},
        BadInput{"missing_key", [](Json& j) { j["devices"][0].erase("target"); },
                 "devices[0].target: is missing; it must be an object such as {\"kind\": \"llvm\", "
                 "\"mcpu\": "
                 "\"host\"}"},
        BadInput{"wrong_type", [](Json& j) { j["top_k"] = "five"; },
                 "top_k: is 'five'; it must be a whole number"},
        BadInput{"fraction", [](Json& j) { j["seed"] = 1.5; },
                 "seed: is 1.5; it must be a whole number"},
        BadInput{"list_for_object", [](Json& j) { j["images"] = Json::array(); },
                 "images: is []; it must be an object {...}"},
        BadInput{"item_no_object", [](Json& j) { j["devices"][0] = 3; },
                 "devices: is [3]; it must be a list of objects [{...}]"},
        BadInput{"negative", [](Json& j) { j["max_mutants"] = -1; },
                 "max_mutants: is -1; it must be at least 0"},
        BadInput{"too_large", [](Json& j) { j["max_mutants"] = 5000000000; },
                 "max_mutants: is 5000000000; it must be at most 2147483647"},
        BadInput{"zero_scale", [](Json& j) { j["models"][0]["preprocessing"]["scale"] = 0; },
                 "models[0].preprocessing.scale: is 0; it must be above 0"},
        BadInput{"mutant_repeats", [](Json& j) { j["mutant_repeats"] = 3; },
                 "mutant_repeats: is 3; mutants are run again under \"matrix\": \"full\" only"},
        BadInput{"choice", [](Json& j) { j["matrix"] = "late"; },
                 "matrix: 'late' is not known; say 'early' or 'full'"},
        BadInput{"kill", [](Json& j) { j["kill"] = "top5"; },
                 "kill: kill rule 'top5': say 'top1', 'topk:K', 'output:TOLERANCE', 'noise', "
                 "'fisher:SIGNIFICANCE', 'accept:max_accuracy_drop=X,max_label_changes=N,"
                 "max_recall_drop=X' (any of the three) or 'accept:command=COMMAND'"},
        BadInput{"kill_command", [](Json& j) { j["kill"] = "accept:command=rm -r /"; },
                 "kill: a command is given to `mutatenn analyze` and `report` with --kill, not in "
                 "the configuration"},
        BadInput{"kill_topk", [](Json& j) { j["kill"] = "topk:6"; },
                 "kill: topk:6 needs more labels than `top_k` keeps, 5"},
        BadInput{"severity_name",
                 [](Json& j) {
                   j["images"]["groups"] = Json::array({{{"name", "signs"}, {"classes", {1, 2}}}});
                   j["severity"] = Json::array({{{"from", "signs"}, {"to", "*"}, {"weight", 2}},
                                                {{"from", "3"}, {"to", "sign"}, {"weight", 2}}});
                 },
                 "severity[1].to: 'sign' is no group of `images.groups`, no class number and not "
                 "*"},
        BadInput{"empty_list", [](Json& j) { j["operators"] = Json::array(); },
                 "operators: is empty; name at least 1"},
        BadInput{"empty_name", [](Json& j) { j["models"][0]["name"] = ""; },
                 "models[0].name: is empty"},
        BadInput{"mean_length",
                 [](Json& j) {
                   j["models"][0]["preprocessing"]["mean"] = Json::array({1, 2});
                 },
                 "models[0].preprocessing.mean: has 2 numbers; it must have 3, one a channel"},
        BadInput{"std_zero",
                 [](Json& j) {
                   j["models"][0]["preprocessing"]["std"] = Json::array({1, 0, 1});
                 },
                 "models[0].preprocessing.std: holds a 0; pixels are divided by it"},
        BadInput{"crop_beyond_resize",
                 [](Json& j) { j["models"][0]["preprocessing"]["crop"] = 300; },
                 "models[0].preprocessing.crop: 300 does not fit into resize_short_side, 256"},
        BadInput{"missing_model", [](Json& j) { j["models"][0]["path"] = "nit.onnx"; },
                 "models[0].path: 'nit.onnx' does not exist (looked for FOLDER/nit.onnx; paths are "
                 "relative to "
                 "the configuration)"},
        BadInput{"model_is_folder", [](Json& j) { j["models"][0]["path"] = "images"; },
                 "models[0].path: 'images' is a folder; name a file"},
        BadInput{"missing_classes", [](Json& j) { j["models"][0]["classes"] = "c.txt"; },
                 "models[0].classes: 'c.txt' does not exist (looked for FOLDER/c.txt; paths are "
                 "relative to the "
                 "configuration)"},
        BadInput{"missing_images", [](Json& j) { j["images"]["path"] = "pictures"; },
                 "images.path: 'pictures' does not exist (looked for FOLDER/pictures; paths are "
                 "relative to the "
                 "configuration)"},
        BadInput{"no_images", [](Json& j) { j.erase("images"); },
                 "images: is missing; it names the images to run models[0] on"},
        BadInput{"duplicate_device", [](Json& j) { j["devices"].push_back(j["devices"][0]); },
                 "devices[1].name: 'a' is the name of devices[0] too; give each its own"},
        BadInput{"duplicate_model", [](Json& j) { j["models"].push_back(j["models"][0]); },
                 "models[1].name: 'net' is the name of models[0] too; give each its own"},
        BadInput{"mcpu_native",
                 [](Json& j) {
                   j["devices"].push_back(
                       {{"name", "b"}, {"target", {{"kind", "llvm"}, {"mcpu", "native"}}}});
                 },
                 "devices[1].target.mcpu: 'native' is no CPU name TVM knows; say \"host\""},
        BadInput{"target_without_kind",
                 [](Json& j) {
                   j["devices"][0]["target"] = {{"mcpu", "host"}};
                 },
                 "devices[0].target.kind: is missing; say \"llvm\" for a CPU"},
        BadInput{"target_number", [](Json& j) { j["devices"][0]["target"] = 3; },
                 "devices[0].target: is 3; it must be an object such as {\"kind\": \"llvm\", "
                 "\"mcpu\": \"host\"}"},
        BadInput{
            "session_kind",
            [](Json& j) {
              j["devices"][0]["session"] = {{"kind", "carrier pigeon"}};
            },
            "devices[0].session.kind: 'carrier pigeon' is not known; say 'local' or 'remote' or "
            "'tracker'"},
        BadInput{"unknown_operator", [](Json& j) { j["operators"][0]["id"] = "graph.activatiom"; },
                 "operators[0].id: 'graph.activatiom' is no mutation operator; did you mean "
                 "'graph.activation'?"},
        BadInput{
            "unknown_operator_far", [](Json& j) { j["operators"][0]["id"] = "banana"; },
            "operators[0].id: 'banana' is no mutation operator; `mutatenn operators` lists them"},
        BadInput{"operator_parameter", [](Json& j) { j["operators"][0]["arg"] = 1; },
                 "operators[0].arg: is no parameter of 'graph.activation'"},
        BadInput{"same_operator_twice",
                 [](Json& j) { j["operators"].push_back(j["operators"][0]); },
                 "operators[1]: is the same as operators[0]; remove one"},
        BadInput{"positions", [](Json& j) { j["operators"][0]["positions"] = "middle"; },
                 std::string("operators[0].positions: is 'middle'; it must be ") + kPositionsForms},
        BadInput{"positions_percent", [](Json& j) { j["operators"][0]["positions"] = "120%"; },
                 std::string("operators[0].positions: is '120%', no percentage above 0 and up to "
                             "100; it must be ") +
                     kPositionsForms},
        BadInput{"unknown_word", [](Json& j) { j["operators"][0] = "defalt"; },
                 "operators[0]: 'defalt' is neither a mutation operator nor a preset; did you mean "
                 "'default'?"},
        BadInput{"unknown_preset",
                 [](Json& j) {
                   j["operators"][0] = {{"preset", "everything"}};
                 },
                 "operators[0].preset: 'everything' is no preset; say 'default', 'paper', 'code'"},
        BadInput{"preset_key",
                 [](Json& j) {
                   j["operators"][0] = {{"preset", "code"}, {"exclud", Json::array({"x"})}};
                 },
                 "operators[0].exclud: unknown key; did you mean 'exclude'?"},
        BadInput{"preset_list",
                 [](Json& j) {
                   j["operators"][0] = {{"preset", "code"}, {"include", "code.*"}};
                 },
                 "operators[0].include: is 'code.*'; it must be a list of strings"},
        BadInput{"glob_of_nothing",
                 [](Json& j) {
                   j["operators"][0] = {{"preset", "default"},
                                        {"exclude", Json::array({"graph.*", "code.store_ad"})}};
                 },
                 "operators[0].exclude[1]: 'code.store_ad' matches no operator of preset "
                 "'default'; did you mean 'code.store_add'?"},
        BadInput{"nothing_left",
                 [](Json& j) {
                   j["operators"][0] = {{"preset", "code"}, {"exclude", Json::array({"*"})}};
                 },
                 "operators[0]: nothing is left of preset 'code'"},
        BadInput{"preset_of_what_is_not_there", [](Json& j) { j["operators"][0] = "paper"; },
                 "operators[0]: preset 'paper' needs 'graph.gone', an operator that this mutatenn "
                 "lacks; leave it out by \"exclude\""},
        BadInput{"scope_of_graph", [](Json& j) { j["operators"][0]["scope"] = "step"; },
                 "operators[0].scope: 'graph.activation' is of level graph, and only "
                 "level code knows steps; leave it out"},
        BadInput{"scope_unknown", [](Json& j) { j["operators"][0]["scope"] = "layer"; },
                 "operators[0].scope: 'layer' is not known; say 'kernel' or 'step'"},
        BadInput{"python_without_file",
                 [](Json& j) {
                   j["operators"][0] = {{"id", "python"}};
                 },
                 "operators[0].file: is missing; it names a Python file with points(mod) and "
                 "apply(mod, point)"},
        BadInput{"python_missing_file",
                 [](Json& j) {
                   j["operators"][0] = {{"id", "python"}, {"file", "ops.py"}};
                 },
                 "operators[0].file: 'ops.py' does not exist (looked for FOLDER/ops.py; paths are "
                 "relative to the configuration)"},
        BadInput{"level", [](Json& j) { j["level"] = 4; }, "level: is 4; it must be 2 or 3"}),
    [](const auto& info) { return std::string(info.param.name); });

std::vector<std::string> Keys(const Config& config) {
  std::vector<std::string> keys;
  for (const OperatorUse& use : config.operators) keys.push_back(OperatorKey(use));
  return keys;
}

TEST_F(ConfigTest, OperatorsAreWordsPresetsAndObjects) {
  Json json = Good();
  json["operators"] = Json::parse(R"([
    "graph.activation", "default", {"id": "code.store_add", "value": 3, "scope": "step"},
    {"preset": "default", "include": ["code.*", "graph.*"], "exclude": ["graph.*"],
     "positions": "all"}, {"preset": "default", "scope": "step"}])");
  Result<Config> config = Parse(json);
  ASSERT_TRUE(config.ok()) << config.error().message;
  const std::vector<std::string> expected = {
      "graph.activation {}",
      "code.store_add {\"value\":2.0}",  // and default's other one is there already
      "code.store_add {\"value\":3} scope step", "code.store_add {\"value\":2.0} \"all\"",
      "code.store_add {\"value\":2.0} scope step"};  // the graph has no steps
  EXPECT_EQ(Keys(*config), expected);
  Result<Config> stored = ConfigFromStore(config->json);
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  EXPECT_EQ(Keys(*stored), expected) << "the store holds the uses themselves";
  EXPECT_EQ(stored->operators[2].scope, kScopeStep);
}

TEST_F(ConfigTest, ScopeKernelIsTheDefault) {
  Json json = Good();
  json["operators"] = Json::parse(R"([{"id": "code.store_add", "scope": "kernel"}])");
  EXPECT_EQ(Keys(Parse(json).value()), std::vector<std::string>{"code.store_add {\"value\":1.0}"});
}

// The same file elsewhere is the same operator; other content is another.
TEST_F(ConfigTest, APythonOperatorIsItsContent) {
  fs::create_directories(folder_ / "other");
  Json json = Good();
  auto key = [&](const std::string& file, const std::string& content) {
    std::ofstream(folder_ / file) << content;
    json["operators"] = Json::array({Json{{"id", "python"}, {"file", file}}});
    Result<Config> config = Parse(json);
    EXPECT_TRUE(config.ok()) << config.error().message;
    EXPECT_EQ(config->operators[0].file, (folder_ / file).string());
    EXPECT_EQ(Keys(ConfigFromStore(config->json).value()), Keys(*config));
    return Keys(*config)[0];
  };
  const std::string here = key("ops.py", "a");
  EXPECT_EQ(key("other/ops.py", "a"), here);
  EXPECT_NE(key("ops.py", "b"), here);
}

TEST_F(ConfigTest, WhatIsNoJsonNamesTheFile) {
  Result<Config> config = ParseConfig("{ \"models\": [", file_, SmallCatalog());
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().message.rfind(file_ + ": not valid JSON: ", 0), 0u)
      << config.error().message;
  EXPECT_EQ(ParseConfig("[]", file_, SmallCatalog()).error().message,
            file_ + ": it must hold one object {...}");
}

TEST_F(ConfigTest, MissingFileAndFolderAreRefused) {
  EXPECT_EQ(ReadConfig(file_, SmallCatalog()).error().code, Code::kNotFound);
  EXPECT_EQ(ReadConfig(folder_.string(), SmallCatalog()).error().message,
            folder_.string() + ": is a folder; name a configuration file");
}

TEST(Schema, DocsHoldTheSchemaOfTheTable) {
  const char* source = std::getenv("MUTATENN_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "MUTATENN_SOURCE_DIR is not set";
  Result<std::string> text = ReadFile(fs::path(source) / "docs/campaign.schema.json");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, CampaignSchema()) << "run: mutatenn schema > docs/campaign.schema.json";
}

}  // namespace
}  // namespace mutatenn
