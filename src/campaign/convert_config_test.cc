// A file of the original tool, small and by hand, into a configuration that ours accepts.
#include "campaign/convert_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mutatenn {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

Json Theirs() {
  return Json::parse(R"({
    "note": "words", "preprocessing_enabled": true, "debug_enabled": false, "runs_no": 3,
    "models": [
      {"name": "MobileNetV2", "type": "remote", "url": "https://host/m.onnx", "alias": "m.onnx",
       "layers": {"image_dimension": [192, 192], "input": [1, 3, 192, 192]}},
      {"name": "Left", "skip_analysis": true},
      {"name": "Raw", "url": "raw.onnx", "layers": {"input": [1, 224, 224, 3]}}],
    "devices": {"id": 0, "selected": "board", "other": {"target": "cuda"},
      "board": {"host_type": "remote", "address": "10.0.0.1",
                "target": "llvm -mtriple=aarch64-linux-gnu -mattr=+neon,+dotprod"}},
    "selected_dataset": 1,
    "datasets": [{"dataset_path_relative": "/a"}, {"dataset_path_relative": "/images/b"}],
    "required_pass": ["SimplifyInference", "FoldConstant"],
    "disabled_pass": ["FastMath", "OpFusion"], "disabled_pass2": ["FastMath"], "opt_level": 1,
    "mutations": {
      "positions": {"MobileNetV2": {"tir": [1, 5]}, "Raw": {"tir": [2]}, "Left": {"tir": [9]}},
      "relay": [{"type": "replace_func", "original_func_name": "add",
                 "mutated_func_name": "subtract", "title": "sub"},
                {"type": "replace_func", "original_func_name": "add",
                 "mutated_func_name": "subtract", "start": 2, "end": 4},
                {"type": "replace_func", "original_func_name": "add",
                 "mutated_func_name": "subtract", "start": 3, "skip": false},
                {"type": "change_layout", "title": "layout"},
                {"type": "replace_func", "skip": true, "title": "skipped"}],
      "tir": [{"type": "change_store_value", "operator": "+", "modifier_value": "2"},
              {"type": "change_ifstmt", "original": "tvm.tir.expr.GT",
               "mutation": "tvm.tir.expr.GE", "title": "gt"}]},
    "mutations_all": {"relay": [], "tir": []}})");
}

OperatorCatalog Catalog() {
  OperatorCatalog catalog;
  catalog.ids = {"lowered.store_value", "graph.arithmetic"};
  catalog.check = [](const std::string&, const Json& given) -> Result<Json> { return given; };
  return catalog;
}

TEST(ConvertConfig, KeepsMeaning) {
  const auto converted = ConvertToolConfig(Theirs(), "mutations", Catalog());
  ASSERT_TRUE(converted.ok()) << converted.error().message;
  const Json& config = converted->config;
  ASSERT_EQ(config["models"].size(), 2u);
  EXPECT_EQ(config["models"][0]["path"], "m.onnx");
  EXPECT_EQ(config["models"][0]["preprocessing"]["crop"], 192);
  EXPECT_EQ(config["models"][0]["preprocessing"]["mean"], (Json{127.5, 127.5, 127.5}));
  EXPECT_EQ(config["models"][1]["preprocessing"]["layout"], "NHWC");
  EXPECT_EQ(config["images"]["path"], "images/b");
  EXPECT_EQ(config["devices"], Json::parse(R"([{"name": "board", "target": {"kind": "llvm",
      "mtriple": "aarch64-linux-gnu", "mattr": ["+neon", "+dotprod"]},
      "session": {"kind": "remote", "servers": ["tcp://10.0.0.1:9190"]}}])"));
  EXPECT_EQ(config["level"], 2);
  EXPECT_EQ(config["matrix"], "full");
  // Theirs count from 1, and each number of "positions" is a mutant of its own.
  EXPECT_EQ(config["operators"], Json::parse(R"([
      {"id": "graph.arithmetic", "positions": "all", "from": ["add"], "to": ["subtract"]},
      {"id": "graph.arithmetic", "positions": "1-3", "from": ["add"], "to": ["subtract"]},
      {"id": "graph.arithmetic", "positions": "2-", "from": ["add"], "to": ["subtract"]},
      {"id": "lowered.store_value", "positions": [0], "operation": "plus", "value": 2.0},
      {"id": "lowered.store_value", "positions": [4], "operation": "plus", "value": 2.0}])"));
}

TEST(ConvertConfig, SaysWhatHasNoMeaning) {
  const auto converted = ConvertToolConfig(Theirs(), "mutations", Catalog());
  for (const char* line :
       {"models[0].url: models are not downloaded; put https://host/m.onnx beside",
        "models[1]: 'Left' is marked skip_analysis; left out", "devices.other: not selected",
        "devices.board.address: ", "datasets[0]: not selected", "runs_no: has no meaning here",
        "required_pass 'SimplifyInference': so it is",
        "required_pass 'FoldConstant': no such pass is run; left out",
        "disabled_pass 'FastMath': so it is: no such pass is run",
        "disabled_pass 'OpFusion': operators are always fused; the operator build.fusion",
        "disabled_pass2: is a spare list", "opt_level: 1 is not there; 2 is taken",
        "mutations_all: left out", "mutations.positions.Raw.tir: other positions",
        "mutations.positions.Left: the model is left out",
        "mutations.relay[3] 'layout': only layouts of nn.conv2d are mutated; left out",
        "mutations.relay[4] 'skipped': marked skip; left out",
        "mutations.tir[1] 'gt': needs 'lowered.relation', an operator that this mutatenn lacks"})
    EXPECT_THAT(converted->notes, Contains(HasSubstr(line)));
  for (const std::string& note : converted->notes) {
    EXPECT_EQ(note.find("debug_enabled"), std::string::npos) << "false asks for nothing";
    EXPECT_EQ(note.find('\n'), std::string::npos);
  }
}

TEST(ConvertConfig, WritesAnEntryOnce) {
  Json theirs = Theirs();
  Json& relay = theirs["mutations"]["relay"];
  relay = Json::array({relay[0], relay[0]});
  const auto converted = ConvertToolConfig(theirs, "mutations", Catalog());
  EXPECT_EQ(converted->config["operators"].size(), 3u);  // with the two positions of tir
  EXPECT_THAT(converted->notes,
              Contains(HasSubstr("relay[1] 'sub': the same as an entry before it; left out")));
}

// Its preprocessing follows the name, and is none where it is switched off.
TEST(ConvertConfig, PreprocessesAsTheToolDoes) {
  auto preprocessing = [](const char* name, bool enabled = true) {
    Json theirs = Theirs();
    theirs["preprocessing_enabled"] = enabled;
    theirs["models"] = {{{"name", name}, {"url", "m.onnx"}}};
    return ConvertToolConfig(theirs, "mutations", Catalog())->config["models"][0]["preprocessing"];
  };
  EXPECT_EQ(preprocessing("InceptionV2")["std"], (Json{127.5, 127.5, 127.5}));
  EXPECT_EQ(preprocessing("ShuffleNet")["scale"], 1 / 255.0);
  EXPECT_EQ(preprocessing("ShuffleNet")["std"], (Json{0.229, 0.224, 0.225}));
  EXPECT_EQ(preprocessing("DenseNet121")["mean"], (Json{123.68, 116.78, 103.94}));
  EXPECT_EQ(preprocessing("GoogleNet9")["channels"], "BGR");
  EXPECT_EQ(preprocessing("AlexNet")["mean"], (Json{0, 0, 0}));
  EXPECT_EQ(preprocessing("InceptionV2", false)["std"], (Json{1, 1, 1}));
}

TEST(ConvertConfig, TakesTheSelectedDevice) {
  Json theirs = Theirs();
  theirs["devices"] = {{"selected", "gpu"},
                       {"gpu", {{"target", "cuda"}, {"host", "llvm -mcpu=core-avx2"}}}};
  theirs["opt_level"] = 3;
  const Json config = ConvertToolConfig(theirs, "mutations", Catalog())->config;
  EXPECT_EQ(config["level"], 3);
  EXPECT_EQ(config["devices"], Json::parse(R"([{"name": "gpu", "target": {"kind": "cuda",
      "host": {"kind": "llvm", "mcpu": "core-avx2"}}}])"));
  theirs["devices"]["selected"] = "none";
  const auto other = ConvertToolConfig(theirs, "mutations", Catalog());
  EXPECT_EQ(other->config["devices"], Json::parse(R"([{"name": "host",
      "target": {"kind": "llvm", "mcpu": "host"}}])"));
  EXPECT_THAT(other->notes, Contains(HasSubstr("devices.selected: 'none' is not there")));
}

TEST(ConvertConfig, IsAcceptedAsAConfiguration) {
  const fs::path folder = fs::path(testing::TempDir()) / ("convert." + std::to_string(::getpid()));
  fs::create_directories(folder / "images/b");
  for (const char* file : {"m.onnx", "raw.onnx"}) std::ofstream(folder / file) << "x";
  const auto converted = ConvertToolConfig(Theirs(), "mutations", Catalog());
  const auto config =
      ParseConfig(converted->config.dump(), (folder / "c.json").string(), Catalog());
  EXPECT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->operators.size(), 5u);
  fs::remove_all(folder);
}

TEST(ConvertConfig, RefusesWhatIsNotTheTools) {
  auto refusal = [](const Json& json, const std::string& list = "mutations") {
    const auto converted = ConvertToolConfig(json, list, Catalog());
    EXPECT_FALSE(converted.ok());
    return converted.ok() ? "" : converted.error().message;
  };
  EXPECT_THAT(refusal(Json::object()), HasSubstr("has no 'models'"));
  EXPECT_THAT(refusal(Json::array()), HasSubstr("has no 'models'"));
  EXPECT_THAT(refusal(Theirs(), "mutation"), HasSubstr("has no list 'mutation'; say 'mutations'"));
  EXPECT_THAT(refusal(Theirs(), "mutations_all"), HasSubstr("nothing is left of its 'operators'"));
  Json wrong = Theirs();
  wrong["models"] = {{{"name", 3}}};
  EXPECT_THAT(refusal(wrong), HasSubstr("is not as the original tool writes it"));
}

}  // namespace
}  // namespace mutatenn
