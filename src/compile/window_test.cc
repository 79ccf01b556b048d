// The window path against the whole path, its oracle: for every mutant of the networks below, every
// rewiring and every removal of a node, the steps must be equal in all, or no window be given.
#include "compile/window.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/diff.h"
#include "compile/graph.h"
#include "compile/printed_graph.h"
#include "model/test_support.h"
#include "tvm/relax.h"

namespace mutatenn {
namespace {

class WindowTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasPython()) GTEST_SKIP() << "MUTATENN_PYTHON and MUTATENN_SOURCE_DIR are not set";
    ::setenv("MUTATENN_PYTHONPATH", (TestEnvironment("MUTATENN_SOURCE_DIR") + "/python").c_str(),
             1);
    ASSERT_TRUE(LoadCompiler().ok());
    frontend_ = StartFrontend("").value();
  }

  void Open(const std::string& model) {
    auto imported = frontend_->Import(model, folder_ / "weights.bin");
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    graph_ = Rebuild(GraphFromImport(*imported, table_).value()).value();
    const Graph legalized = *Legalize(graph_).value();
    const FusedGraph fused = memo_.Fuse(legalized, table_).value();
    window_.emplace(graph_, legalized, fused, table_);
    printed_ = PrintedGraph::Print(graph_).value();
  }
  void OpenMade(const std::string& script, const std::string& argument, const std::string& model) {
    ASSERT_EQ(RunPython(script, {argument}), "");
    Open(model);
  }

  Result<std::optional<Graph>> Legalize(const Graph& typed) {
    const Graph lowered = TRY(LowerBatchNorm(typed));
    TRY(legalize_.Fetch(TRY(legalize_.Missing(lowered)), *frontend_));
    return std::optional<Graph>(TRY(legalize_.Apply(lowered, table_)));
  }

  // Both paths over one mutant.
  void Check(const Graph& mutated, const std::string& what) {
    SCOPED_TRACE(what);
    ++checked_;
    const FusionWindow::Stages stages{[&](const Graph& graph) { return Legalize(graph); },
                                      [&](const Graph& graph) { return memo_.Fuse(graph, table_); },
                                      table_};
    const auto window = window_->Fuse(mutated, stages);
    if (window) {
      ASSERT_TRUE(window->fused.has_value());
      ++windows_;
    }
    auto typed = Rebuild(mutated);
    auto legalized = typed.ok() ? Legalize(*typed) : typed.error();
    auto whole = legalized.ok() ? memo_.Fuse(**legalized, table_) : legalized.error();
    if (!whole.ok()) {
      EXPECT_FALSE(window.has_value()) << "a window of what is refused: " << whole.error().message;
      return;
    }
    if (!window) return;
    ExpectSame(*window->fused, whole.value());
    const auto printed = printed_.With(*window);
    ASSERT_TRUE(printed.has_value());
    const std::string diff = UnifiedDiff(printed_.text(), *printed),
                      expected = UnifiedDiff(printed_.text(), PrintGraph(*typed).value());
    // A new name may take one that the whole print then gives up on every line that reads it.
    if (diff != expected) {
      ++renamed_;
      EXPECT_LT(Changes(diff), Changes(expected)) << diff << expected;
    }
  }

  static long Changes(const std::string& diff) {
    long count = 0;
    for (size_t at = 0; at < diff.size(); at = diff.find('\n', at) + 1)
      count += diff[at] == '+' || diff[at] == '-';
    return count;
  }

  static void ExpectSame(const FusedGraph& window, const FusedGraph& whole) {
    EXPECT_EQ(window.outputs, whole.outputs);
    ASSERT_EQ(window.steps.size(), whole.steps.size());
    for (size_t i = 0; i < whole.steps.size(); ++i) {
      const FusedStep &a = window.steps[i], &b = whole.steps[i];
      SCOPED_TRACE("step " + std::to_string(i) + " " + b.role);
      EXPECT_EQ(a.outputs, b.outputs);
      EXPECT_EQ(a.inputs, b.inputs);
      EXPECT_EQ(a.role, b.role);
      EXPECT_EQ(a.layers, b.layers);
      EXPECT_EQ(a.bindings, b.bindings);
      EXPECT_EQ(a.weight_only, b.weight_only);
      EXPECT_EQ(a.output_types, b.output_types);
      EXPECT_TRUE(StructuralEqual(a.function, b.function));
    }
    ASSERT_EQ(window.constants.size(), whole.constants.size());
    for (size_t i = 0; i < whole.constants.size(); ++i) {
      EXPECT_EQ(window.constants[i].name, whole.constants[i].name);
      EXPECT_EQ(window.constants[i].bytes, whole.constants[i].bytes);
    }
  }

  using Uses = std::vector<std::pair<std::string, Json>>;
  // Operators of which every mutant is the window's.
  static Uses Windowed() {
    return {{"graph.activation", {{"to", {"sigmoid", "hard_swish"}}}},
            {"graph.arithmetic", {{"to", {"subtract"}}, {"synthetic", true}}},
            {"graph.insert_operation", {{"operation", "transpose"}, {"arg", 0}}},
            {"graph.insert_operation", {{"operation", "transpose"}, {"arg", 1}}},
            {"graph.insert_operation", {{"arg", 1}}},
            {"graph.insert_operation", {{"functions", {"batch_norm"}}}},
            {"graph.convolution", {{"change", {"layout", "padding", "padding_mode"}}}},
            {"graph.dense_input", {{"arg", 1}}}};  // a constant of many elements
  }
  // Those that make one value another's, or a batch norm of another's name, may go the whole way.
  static Uses Others() {
    return {{"graph.activation", {{"to", {"identity"}}}},
            {"graph.insert_operation", {{"order", "after"}, {"functions", {"batch_norm"}}}},
            {"graph.layer_removed", Json::object()},
            {"graph.layers_switched", Json::object()}};
  }

  // Every operator at every `stride`-th point, one by one, and at all of these points at once.
  void CheckOperators(const Uses& uses = Windowed(), int stride = 1) {
    for (const auto& [id, given] : uses) {
      const MutationOperator* op = FindOperator(id);
      ASSERT_NE(op, nullptr) << id;
      const Json parameters = CheckParameters(*op, given).value();
      const auto points = EnumerateGraph(*op, parameters, graph_).value();
      std::vector<MutationPoint> picked;
      for (size_t i = 0; i < points.size(); i += static_cast<size_t>(stride)) {
        if (picked.empty() || picked.back().match != points[i].match) picked.push_back(points[i]);
        Check(ApplyToGraph(*op, parameters, graph_, {points[i]}).value(),
              id + " " + DumpJson(given) + " " + DumpJson(points[i].ToJson()));
      }
      if (!picked.empty())
        Check(ApplyToGraph(*op, parameters, graph_, picked).value(), "all of " + id);
    }
  }

  // Every argument of every call replaced by the nearest earlier value of its type; every call
  // replaced by each argument of its own type.
  void CheckRewirings() {
    for (size_t i = 0; i < graph_.bindings.size(); ++i) {
      const Node value = graph_.bindings[i].value;
      if (relax::OperatorOf(value).empty()) continue;
      const std::vector<Node> arguments = value["args"].Items();
      for (size_t a = 0; a < arguments.size(); ++a) {
        if (!relax::IsVariable(arguments[a])) continue;
        const std::string where = graph_.bindings[i].name + " argument " + std::to_string(a);
        for (size_t j = i; j-- > 0;) {
          const Node& other = graph_.bindings[j].variable;
          if (other.Same(arguments[a]) || !StructuralEqual(other["ty"], arguments[a]["ty"]))
            continue;
          std::vector<Node> changed = arguments;
          changed[a] = other;
          Graph mutated = graph_;
          mutated.bindings[i].value = WithFields(value, {{"args", Node(changed)}});
          Check(mutated, where + " from " + graph_.bindings[j].name);
          break;
        }
        if (!StructuralEqual(arguments[a]["ty"], graph_.bindings[i].variable["ty"])) continue;
        Graph mutated = graph_;
        mutated.bindings[i].value = arguments[a];
        Check(mutated, where + " instead of it");
      }
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<Frontend> frontend_;
  FunctionTable table_;
  LegalizeMemo legalize_;
  FuseMemo memo_;
  Graph graph_;
  std::optional<FusionWindow> window_;
  PrintedGraph printed_;
  int checked_ = 0, windows_ = 0, renamed_ = 0;
};

TEST_F(WindowTest, TinyNetwork) {
  OpenMade("../../tests/support/make_tiny.py", folder_.path().string(), folder_ / "tiny.onnx");
  CheckOperators();
  EXPECT_EQ(windows_, checked_);
  EXPECT_GT(checked_, 20);
  CheckOperators(Others());
}

TEST_F(WindowTest, WhateverMeetsAgain) {
  const std::string model = folder_ / "network.onnx";
  OpenMade("../compile/window_test_network.py", model, model);
  CheckOperators();
  EXPECT_EQ(windows_, checked_);
  EXPECT_GT(checked_, 30);
  CheckOperators(Others());
}

// Values that nothing reads any more, values that became another's, new groups across old ones.
TEST_F(WindowTest, Rewired) {
  const std::string model = folder_ / "network.onnx";
  OpenMade("../compile/window_test_network.py", model, model);
  CheckRewirings();
  EXPECT_GT(windows_, checked_ / 2);
  EXPECT_GT(checked_, 30);
}

// A mutant that changes a type far from its edit, or is refused, is not the window's.
TEST_F(WindowTest, OtherTypesGoTheWholeWay) {
  OpenMade("../../tests/support/make_tiny.py", folder_.path().string(), folder_ / "tiny.onnx");
  int changed = 0;
  for (size_t i = 0; i < graph_.bindings.size(); ++i) {
    if (relax::OperatorOf(graph_.bindings[i].value) != "relax.nn.conv2d") continue;
    Graph mutated = graph_;
    const Node weight = mutated.bindings[i].value["args"].At(1);
    mutated.bindings[i].value =
        WithFields(graph_.bindings[i].value, {{"args", Node({weight, weight})}});
    Check(mutated, "a convolution of its own weight");
    ++changed;
  }
  EXPECT_GT(changed, 2);
  EXPECT_EQ(windows_, 0);
}

// Minutes.
TEST_F(WindowTest, SlowEfficientNet) {
  if (TestEnvironment("MUTATENN_SLOW_TESTS") != "1") GTEST_SKIP() << "set MUTATENN_SLOW_TESTS=1";
  const std::string model = SharedFolder() + "/models/efficientnet_lite0.onnx";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << model << " is absent";
  Open(model);
  CheckOperators();
  EXPECT_EQ(windows_, checked_);
}

}  // namespace
}  // namespace mutatenn
