// Reshapes disappear from the steps; their readers see the same value in the new shape.
#include "compile/views.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "tvm/node.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace {

FusedStep MakeStep(const std::string& name, const std::string& kind, const std::string& input) {
  static const Json functions = [] {
    EXPECT_TRUE(LoadCompiler().ok());
    const char* source = std::getenv("MUTATENN_SOURCE_DIR");
    const std::string file = std::string(source) + "/tests/examples/reshapes.json";
    return ParseJson(ReadFile(file).value(), file).value();
  }();
  FusedStep step;
  step.function = Guard("", [&] { return FromJsonText(functions.at(kind).dump()); }).value();
  step.inputs = {input};
  step.outputs = {name};
  step.output_types = {
      {kind == "reshape" ? std::vector<int64_t>{4, 6} : std::vector<int64_t>{1, 1, 4, 6}}};
  return step;
}

std::vector<std::string> Names(const FusedGraph& graph) {
  std::vector<std::string> names;
  for (const FusedStep& step : graph.steps) names.push_back(step.outputs[0]);
  return names;
}

TEST(Views, ReadersSeeTheValueBehindReshapes) {
  FusedGraph graph;
  graph.steps = {MakeStep("flat", "reshape", "x"), MakeStep("wide", "expand_dims", "flat"),
                 MakeStep("turned", "transpose", "wide"), MakeStep("cut", "slice", "turned")};
  graph.outputs = {"cut"};
  const FusedGraph read = ReshapeMemo().ReadThrough(graph).value();
  EXPECT_EQ(Names(read), (std::vector<std::string>{"turned", "cut"}));
  EXPECT_EQ(read.steps[0].inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(read.steps[0].views, (Views{{0, {1, 1, 4, 6}}}));
  EXPECT_EQ(read.steps[1].inputs, std::vector<std::string>{"turned"});
  EXPECT_TRUE(read.steps[1].views.empty());
}

TEST(Views, AnOutputOfTheNetworkIsWritten) {
  FusedGraph graph;
  graph.steps = {MakeStep("flat", "reshape", "x"), MakeStep("wide", "expand_dims", "flat")};
  graph.outputs = {"wide"};
  const FusedGraph read = ReshapeMemo().ReadThrough(graph).value();
  EXPECT_EQ(Names(read), std::vector<std::string>{"wide"});
  EXPECT_EQ(read.steps[0].inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(read.steps[0].views, (Views{{0, {4, 6}}}));
}

}  // namespace
}  // namespace mutatenn
