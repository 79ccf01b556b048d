// Presets follow from the registry, and the original tool's list says what we think it says.
#include "mutation/presets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "mutation/operator.h"
#include "mutation/positions.h"
#include "mutation/tool_mutations.h"

namespace mutatenn {
namespace {

std::set<std::string> Ids(const std::vector<OperatorUse>& uses) {
  std::set<std::string> ids;
  for (const OperatorUse& use : uses) ids.insert(use.id);
  return ids;
}

TEST(Presets, AllHoldsEveryOperator) {
  EXPECT_EQ(Ids(UsesOfPreset("all")).size(), AllOperators().size());
}

TEST(Presets, DefaultHoldsEveryOperatorButThoseOnTheCompiler) {
  std::set<std::string> on_compiler;
  const std::set<std::string> all = Ids(UsesOfPreset("all")), held = Ids(UsesOfPreset("default"));
  std::set_difference(all.begin(), all.end(), held.begin(), held.end(),
                      std::inserter(on_compiler, on_compiler.begin()));
  for (const std::string& id : on_compiler) EXPECT_EQ(FindOperator(id)->level(), Level::kBuild);
  EXPECT_EQ(on_compiler.size() + 1, Ids(UsesOfPreset("build")).size()) << "one stands for them";
  EXPECT_TRUE(held.contains("build.fast_math"));
}

TEST(Presets, CategoriesAndLevelsPartAll) {
  for (const MutationOperator* op : AllOperators()) {
    for (const std::string& group : {op->category, std::string(LevelName(op->level()))}) {
      const auto& names = PresetNames();
      EXPECT_NE(std::find(names.begin(), names.end(), group), names.end()) << group;
      EXPECT_TRUE(Ids(UsesOfPreset(group)).contains(op->id)) << op->id << " in " << group;
    }
  }
  for (const std::string& id : Ids(UsesOfPreset("conditions")))
    EXPECT_EQ(FindOperator(id)->category, "conditions");
  EXPECT_TRUE(UsesOfPreset("nothing").empty());
}

// What an operator declares of itself must be what it takes.
TEST(Presets, DeclaredParametersAndPositionsAreTaken) {
  for (const MutationOperator* op : AllOperators()) {
    for (const PresetUse& use : op->presets) {
      const auto checked = CheckParameters(*op, use.parameters);
      EXPECT_TRUE(checked.ok()) << op->id << ": " << checked.error().message;
      if (use.positions.empty()) continue;
      EXPECT_TRUE(PositionsFromJson(Json::parse(use.positions)).ok()) << op->id;
    }
  }
}

TEST(Presets, WhatAnOperatorDeclaresStandsForItsDefaults) {
  int found = 0;
  for (const OperatorUse& use : UsesOfPreset("default")) {
    if (use.id != "code.store_value") continue;
    ++found;
    EXPECT_EQ(use.parameters.at("value"), 1.0) << "-1e-8 changes hardly anything";
  }
  EXPECT_EQ(found, 1);
}

TEST(PaperPreset, IsTheToolsListAtAllPointsAtOnce) {
  const auto uses = UsesOfPreset("paper");
  ASSERT_EQ(ToolMutations().at("relay").size(), 11u);
  ASSERT_EQ(ToolMutations().at("tir").size(), 11u);
  ASSERT_GE(uses.size(), 22u);
  for (const OperatorUse& use : uses) EXPECT_EQ(use.positions, "\"all\"") << use.id;
}

// Every use of the preset must be one that this program can make.
TEST(PaperPreset, NamesOperatorsThatExist) {
  for (const OperatorUse& use : UsesOfPreset("paper")) {
    const MutationOperator* op = FindOperator(use.id);
    ASSERT_NE(op, nullptr) << use.id;
    const auto checked = CheckParameters(*op, use.parameters);
    EXPECT_TRUE(checked.ok()) << use.id << ": " << checked.error().message;
  }
}

std::string Converted(const char* entry) {
  const auto converted = ConvertToolMutation(Json::parse(entry));
  if (!converted.ok())
    return std::string(CodeName(converted.error().code)) + ": " + converted.error().message;
  return converted->use.id + " " + DumpJson(converted->use.parameters) +
         (converted->note.empty() ? "" : " !");
}

TEST(ToolMutation, KeepsParameters) {
  EXPECT_EQ(Converted(R"({"type": "apply_tensor_operation", "operation": "log", "order": "after",
                          "functions": ["nn.dense", "nn.softmax"], "arg": 1})"),
            R"(graph.insert_operation {"operation":"log","order":"after",)"
            R"("functions":["dense","relax.nn.softmax"]})");
  EXPECT_EQ(Converted(R"({"type": "apply_tensor_operation", "operation": "transpose",
                          "functions": ["nn.conv2d", "nn.dense"], "arg": 1})"),
            R"(graph.insert_operation {"operation":"transpose","order":"before",)"
            R"("functions":["conv2d","dense"],"arg":1})");
  EXPECT_EQ(Converted(R"({"type": "change_store_value", "operator": "-",
                          "modifier_value": "0.00000001"})"),
            R"(lowered.store_value {"operation":"minus","value":1e-08} !)");
  EXPECT_EQ(Converted(R"({"type": "change_store_value", "operator": "/", "modifier_value": 4})"),
            R"(lowered.store_value {"operation":"times","value":0.25} !)");
  EXPECT_EQ(Converted(R"({"type": "change_type", "original": "float32", "mutation": "int8"})"),
            R"(lowered.store_type {"to":"int8","mode":"reinterpret"})");
  EXPECT_EQ(Converted(R"({"type": "change_threshold", "op": {"condition": "tvm.tir.expr.LT",
                          "part": "left", "action": "sub_perc", "threshold_change": 0.25}})"),
            R"(lowered.threshold {"relations":["lt"],"side":"left","operation":"percent",)"
            R"("value":-25.0} !)");
  EXPECT_EQ(
      Converted(R"({"type": "change_threshold", "op": {"condition": "tvm.tir.expr.LT",
                          "part": "right", "action": "add", "threshold_change": 0.5}})"),
      R"(lowered.threshold {"relations":["lt"],"side":"right","operation":"plus","value":0.5})");
  EXPECT_EQ(Converted(R"({"type": "change_ifstmt", "original": "tvm.tir.expr.GT",
                          "mutation": "tvm.tir.expr.GE"})"),
            R"(lowered.relation {"from":["gt"],"to":["ge"]})");
  EXPECT_EQ(Converted(R"({"type": "replace_func", "original_func_name": "nn.relu",
                          "mutated_func_name": "tanh"})"),
            R"(graph.activation {"from":["relu"],"to":["tanh"]} !)");
  EXPECT_EQ(Converted(R"({"type": "replace_func", "original_func_name": "add",
                          "mutated_func_name": "subtract"})"),
            R"(graph.arithmetic {"from":["add"],"to":["subtract"]} !)");
  EXPECT_EQ(Converted(R"({"type": "replace_func", "original_func_name": "nn.softmax",
                          "mutated_func_name": "nn.log_softmax"})"),
            R"(graph.replace_op {"from":["relax.nn.softmax"],"to":["relax.nn.log_softmax"]} !)");
}

// Those that its lists do not use.
TEST(ToolMutation, KeepsLoopsBlocksAndLayouts) {
  auto loop = [](const char* boundary, const char* action, double change) {
    const Json entry = {{"type", "change_loop_threshold"},
                        {"boundary", boundary},
                        {"action", action},
                        {"threshold_change", change}};
    return Converted(entry.dump().c_str());
  };
  EXPECT_EQ(loop("min_val", "add", 2), R"(lowered.loop {"change":["shifted"],"by":2} !)");
  EXPECT_EQ(loop("min_val", "subtract", 1), R"(lowered.loop {"change":["shifted"],"by":-1} !)");
  EXPECT_EQ(loop("extent", "add", 1), R"(lowered.loop {"change":["one_more"],"by":1} !)");
  EXPECT_EQ(loop("extent", "subtract", 3), R"(lowered.loop {"change":["last_dropped"],"by":3} !)");
  EXPECT_EQ(loop("extent", "add", 0.5),
            "unsupported: a loop has whole bounds, so they cannot change by 0.5");
  EXPECT_EQ(loop("extent", "multiply", 1),
            "invalid input: 'boundary' is 'extent' and 'action' 'multiply'");
  EXPECT_EQ(Converted(R"({"type": "change_block", "attr_key": "thread_extent", "var_name": "*",
                          "attr_value": "32"})"),
            R"(lowered.thread_extent {"thread":"any","to":32})");
  EXPECT_EQ(Converted(R"({"type": "change_block", "attr_key": "thread_extent",
                          "var_name": "blockIdx.x", "attr_value": 4})"),
            R"(lowered.thread_extent {"thread":"blockIdx.x","to":4})");
  EXPECT_EQ(Converted(R"({"type": "change_block", "attr_key": "pragma", "var_name": "*",
                          "attr_value": 4})"),
            "unsupported: only thread_extent is mutated, not pragma");
  EXPECT_EQ(Converted(R"({"type": "change_layout",
                          "transformations": {"nn.conv2d": ["NHWC", "default"]}})"),
            R"(graph.convolution {"change":["layout"]} !)");
  for (const char* entry :
       {R"({"type": "change_layout", "transformations": {"nn.conv2d": ["NHWC", "default"]}})",
        R"({"type": "change_loop_threshold", "boundary": "extent", "action": "add",
            "threshold_change": 1})",
        R"({"type": "change_block", "attr_key": "thread_extent", "var_name": "blockIdx.y",
            "attr_value": 4})"}) {
    const auto converted = ConvertToolMutation(Json::parse(entry));
    const auto checked =
        CheckParameters(*FindOperator(converted->use.id), converted->use.parameters);
    EXPECT_TRUE(checked.ok()) << checked.error().message;
  }
}

TEST(ToolMutation, SaysWhatHasNoMeaning) {
  EXPECT_EQ(Converted(R"({"type": "change_layout"})").substr(0, 11), "unsupported");
  EXPECT_EQ(Converted(R"({"type": "change_layout",
                          "transformations": {"nn.conv2d": ["NCHW", "default"]}})")
                .substr(0, 11),
            "unsupported");
  EXPECT_EQ(Converted(R"({"type": "paint_it_black"})"),
            "invalid input: 'type' is 'paint_it_black', which the tool does not have");
  EXPECT_EQ(Converted(R"({"operation": "exp"})"), "invalid input: 'type' is missing or no string");
  EXPECT_EQ(Converted(R"({"type": "change_store_value", "operator": "%", "modifier_value": 1})"),
            "invalid input: 'operator' is '%', not one of + - * /");
}

}  // namespace
}  // namespace mutatenn
