// What a configuration may say about an operator, and the registry.
#include "mutation/operator.h"

#include <gtest/gtest.h>

#include "mutation/example_test.h"
#include "mutation/operator_docs.h"

namespace mutatenn {
namespace {

MutationOperator Sample() {
  return {.id = "code.sample",
          .parameters = {
              {.name = "value", .type = "number", .fallback = 0.5},
              {.name = "arg", .type = "integer", .fallback = 0, .allowed = {"0", "1"}},
              {.name = "mode", .type = "string", .fallback = "round", .allowed = {"round", "cut"}},
              {.name = "functions",
               .type = "strings",
               .fallback = Json::array({"conv2d"}),
               .allowed = {"conv2d", "dense"}}}};
}

std::string Refusal(const Json& given) {
  const auto checked = CheckParameters(Sample(), given);
  EXPECT_FALSE(checked.ok()) << given;
  if (checked.ok()) return "";
  EXPECT_EQ(checked.error().code, Code::kInvalidInput);
  return checked.error().message;
}

TEST(CheckParameters, FillsInDefaults) {
  EXPECT_EQ(CheckParameters(Sample(), Json::object()).value().dump(),
            R"({"value":0.5,"arg":0,"mode":"round","functions":["conv2d"]})");
}

// One form for one meaning: it enters the mutants' ids.
TEST(CheckParameters, BringsValuesIntoOneForm) {
  const Json given = Json::parse(R"({"functions":["dense","conv2d","dense"],"value":1})");
  EXPECT_EQ(CheckParameters(Sample(), given).value().dump(),
            R"({"value":1.0,"arg":0,"mode":"round","functions":["conv2d","dense"]})");
}

TEST(CheckParameters, NamesKeyAndRemedy) {
  EXPECT_EQ(Refusal({{"functons", 1}}),
            "functons: is no parameter of 'code.sample'; did you mean 'functions'?");
  EXPECT_EQ(Refusal({{"x", 1}}),
            "x: is no parameter of 'code.sample'; it has 'value', 'arg', 'mode', 'functions'");
  EXPECT_EQ(Refusal({{"value", "1"}}), "value: is \"1\"; it must be a number");
  EXPECT_EQ(Refusal({{"arg", 0.5}}), "arg: is 0.5; it must be a whole number");
  EXPECT_EQ(Refusal({{"arg", 2}}), "arg: '2' is not allowed; say '0', '1'");
  EXPECT_EQ(Refusal({{"mode", "up"}}), "mode: 'up' is not allowed; say 'round', 'cut'");
  EXPECT_EQ(Refusal({{"mode", true}}), "mode: is true; it must be a string");
  EXPECT_EQ(Refusal({{"functions", "conv2d"}}),
            "functions: is \"conv2d\"; it must be a list of strings");
  EXPECT_EQ(Refusal({{"functions", Json::array()}}),
            "functions: is []; it must be a list of strings");
  EXPECT_EQ(Refusal({{"functions", {"conv2d", "conv"}}}),
            "functions: 'conv' is not allowed; say 'conv2d', 'dense'");
  EXPECT_EQ(Refusal(Json::array()), "parameters: is []; it must be an object");
}

TEST(CheckParameters, AStarAllowsWhatBeginsSo) {
  MutationOperator op = Sample();
  op.parameters[3].allowed = {"conv2d", "relax.*"};
  auto given = [&](const char* word) { return CheckParameters(op, {{"functions", {word}}}); };
  EXPECT_TRUE(given("relax.nn.prelu").ok());
  EXPECT_TRUE(given("conv2d").ok());
  EXPECT_FALSE(given("nn.relax.").ok());
  EXPECT_EQ(given("conv").error().message,
            "functions: 'conv' is not allowed; say 'conv2d', 'relax.*'");
}

TEST(Registry, IsSortedAndComplete) {
  const auto& all = AllOperators();
  const std::string categories[] = {
      "layer node",   "arithmetic node", "node input/output",     "arithmetic types",
      "store value",  "conditions",      "layout and attributes", "layers",
      "generic",      "weights",         "arithmetic operators",  "loops",
      "accelerators", "compiler"};
  for (size_t i = 0; i < all.size(); ++i) {
    const MutationOperator& op = *all[i];
    EXPECT_TRUE(i == 0 || all[i - 1]->id < op.id) << op.id;
    EXPECT_EQ(FindOperator(op.id), &op);
    EXPECT_EQ(op.id.substr(0, op.id.find('.')), LevelName(op.level()));
    EXPECT_NE(std::find(std::begin(categories), std::end(categories), op.category),
              std::end(categories))
        << op.id << ": " << op.category;
    EXPECT_TRUE(op.source == "paper" || op.source == "tool" || op.source == "new") << op.id;
    EXPECT_TRUE(op.summary.ends_with('.')) << op.id;
    EXPECT_FALSE(op.doc.empty()) << op.id;
    EXPECT_TRUE(std::filesystem::exists(SourceFolder() / "tests/examples" / (op.example + ".json")))
        << op.id << ": " << op.example;
    EXPECT_TRUE(CheckParameters(op, Json::object()).ok()) << op.id << ": its defaults are refused";
  }
  EXPECT_EQ(FindOperator("code.nothing"), nullptr);
  for (const std::string& category : categories)
    EXPECT_TRUE(
        std::any_of(all.begin(), all.end(), [&](auto* op) { return op->category == category; }))
        << "no operator of category " << category;
}

// Keys that an entry of "operators" has beside its parameters.
TEST(Registry, ParametersLeaveTheEntrysOwnKeysAlone) {
  for (const MutationOperator* op : AllOperators())
    for (const ParameterSpec& spec : op->parameters)
      for (const char* key : {"id", "preset", "positions", "scope", "include", "exclude", "file"})
        EXPECT_NE(spec.name, key) << op->id;
}

TEST(OperatorDocs, NameEveryOperatorAndParameter) {
  const std::string table = OperatorsTable(), page = OperatorsMarkdown();
  const Json json = OperatorsJson();
  ASSERT_EQ(json.size(), AllOperators().size());
  for (size_t i = 0; i < json.size(); ++i) {
    const MutationOperator& op = *AllOperators()[i];
    EXPECT_EQ(json[i].at("id"), op.id);
    EXPECT_EQ(json[i].at("parameters").size(), op.parameters.size());
    EXPECT_NE(table.find(op.id), std::string::npos);
    EXPECT_NE(page.find("## " + op.id + "\n"), std::string::npos);
    for (const ParameterSpec& spec : op.parameters)
      EXPECT_NE(page.find("| `" + spec.name + "` |"), std::string::npos) << op.id;
  }
}

}  // namespace
}  // namespace mutatenn
