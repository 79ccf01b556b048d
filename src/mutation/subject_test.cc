// Enumeration and application: what is counted, what is changed, and what is refused.
#include "mutation/subject.h"

#include <gtest/gtest.h>

#include "mutation/example_test.h"
#include "mutation/graph_view.h"
#include "mutation/leaf_blocks.h"
#include "mutation/relax_calls.h"
#include "tvm/schedule.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

const Json kLtToLe = {{"from", {"lt"}}, {"to", {"le"}}};

KernelSubject Convolution() { return ExampleKernels()[0]; }
KernelSubject Comparisons() { return ExampleKernels()[1]; }

// A kernel whose one block stores `value`; x is its float32 input of 8 elements.
KernelSubject StoreKernel(const std::function<Node(const Node& load)>& value) {
  KernelSubject kernel = Comparisons();
  const Node function = Map(kernel.function["body"], [&](const Node& node) {
    if (!node.Is(type::kBufferStore) || node["buffer"]["name"].Text() != "chosen") return node;
    const Node condition = node["value"]["condition"];
    return WithFields(node, {{"value", value(condition["a"])}});
  });
  kernel.function = WithFields(kernel.function, {{"body", function}});
  return kernel;
}

int CountIn(const Node& root, const char* key) {
  int count = 0;
  Walk(root, [&](const Node& node) { count += node.Is(key); });
  return count;
}

TEST(EnumerateKernels, CountsBeforeApplicability) {
  const Applied stores = PointsInKernels("code.store_type");
  std::vector<std::tuple<std::string, int, int>> found;
  for (const MutationPoint& point : stores.points)
    found.emplace_back(point.block, point.match, point.index);
  // The convolution's init stores 0, which float16 holds; it is counted and is no point. The last
  // store of all is an integer's.
  const std::vector<std::tuple<std::string, int, int>> expected = {{"pad_temp", 0, 0},
                                                                   {"conv2d_nchw", 1, 2},
                                                                   {"compute", 0, 3},
                                                                   {"choose", 0, 4},
                                                                   {"keep", 0, 5}};
  EXPECT_EQ(found, expected);
  EXPECT_EQ(stores.points[0].kernel, "conv2d_relu_key");
  EXPECT_EQ(stores.points[0].role, "conv2d_relu");
  EXPECT_EQ(stores.points[0].layers, (std::vector<std::string>{"Conv_0", "Relu_2"}));
  EXPECT_EQ(stores.points[0].level, Level::kCode);
}

TEST(EnumerateGraph, LeavesSyntheticBindingsAlone) {
  const Applied adds = PointsInGraph("graph.arithmetic", {{"from", {"add"}}, {"to", {"subtract"}}});
  ASSERT_EQ(adds.points.size(), 1u);
  EXPECT_EQ(adds.points[0].layers, std::vector<std::string>{"Add_6"});
  EXPECT_EQ(adds.points[0].index, 0);  // the bias adds before it are not counted
  EXPECT_EQ(adds.points[0].role, "relax.add");
  EXPECT_EQ(adds.points[0].kernel, "");
}

TEST(EnumerateGraph, TransposesSquarePlanesOnly) {
  const Applied weights =
      PointsInGraph("graph.insert_operation",
                    {{"operation", "transpose"}, {"functions", {"conv2d", "dense"}}, {"arg", 1}});
  // Conv_0's 3x3 and Gemm_8's 3x3; not Conv_3's 1x1, which counts all the same.
  ASSERT_EQ(weights.points.size(), 2u);
  EXPECT_EQ(weights.points[0].layers, std::vector<std::string>{"Conv_0"});
  EXPECT_EQ(weights.points[1].layers, std::vector<std::string>{"Gemm_8"});
  EXPECT_EQ(weights.points[1].match, 2);
  const Applied data =
      PointsInGraph("graph.insert_operation",
                    {{"operation", "transpose"}, {"functions", {"dense", "batch_norm"}}});
  ASSERT_EQ(data.points.size(), 1u);  // dense's data is 1x3
  EXPECT_EQ(data.points[0].layers, std::vector<std::string>{"BatchNormalization_1"});
}

TEST(ApplyToKernel, ChangesExactlyItsPoint) {
  const KernelSubject kernel = Convolution();
  const Applied applied = PointsInKernels("code.relation", kLtToLe);
  for (const int match : {0, 1}) {
    const auto mutated = ApplyToKernel(*applied.op, applied.parameters, kernel, kernel.function,
                                       {PointAt(applied, "pad_temp", match)});
    ASSERT_TRUE(mutated.ok()) << mutated.error().message;
    EXPECT_EQ(CountIn(mutated.value()["body"], prim::kLT),
              CountIn(kernel.function["body"], prim::kLT) - 1);
    EXPECT_EQ(CountIn(mutated.value()["body"], prim::kLE),
              CountIn(kernel.function["body"], prim::kLE) + 1);
  }
  EXPECT_EQ(CountIn(kernel.function["body"], prim::kLT), 2) << "the original was changed";
}

TEST(ApplyToKernel, TakesAllPointsAtOnceAndNoOtherKernels) {
  const KernelSubject kernel = Convolution();
  const Applied applied = PointsInKernels("code.relation", kLtToLe);
  ASSERT_EQ(applied.points.size(), 4u);
  const auto mutated =
      ApplyToKernel(*applied.op, applied.parameters, kernel, kernel.function, applied.points);
  ASSERT_TRUE(mutated.ok()) << mutated.error().message;
  EXPECT_EQ(CountIn(mutated.value()["body"], prim::kLT), 0);
}

// One object in two places is two nodes: each is a point, and each can be changed alone.
TEST(ApplyToKernel, CountsSharedNodesByOccurrence) {
  Node shared;
  const KernelSubject kernel = StoreKernel([&](const Node& load) {
    shared = Make(prim::kLT, load, FloatImm("float32", 0.5));
    return Make(prim::kCast, PrimType("float32"), Make(prim::kAnd, shared, shared));
  });
  const MutationOperator& op = *FindOperator("code.relation");
  const auto points = EnumerateKernels(op, kLtToLe, {kernel});
  ASSERT_TRUE(points.ok()) << points.error().message;
  ASSERT_EQ(points.value().size(), 3u);  // twice in "choose", once in "keep"
  for (const int match : {0, 1}) {
    ASSERT_EQ(points.value()[match].match, match);
    const auto mutated =
        ApplyToKernel(op, kLtToLe, kernel, kernel.function, {points.value()[match]});
    ASSERT_TRUE(mutated.ok()) << mutated.error().message;
    Node both;
    Walk(mutated.value()["body"], [&](const Node& node) {
      if (node.Is(prim::kAnd)) both = node;
    });
    EXPECT_TRUE(both["a"].Is(match == 0 ? prim::kLE : prim::kLT));
    EXPECT_TRUE(both["b"].Is(match == 1 ? prim::kLE : prim::kLT));
  }
}

// A comparison within a comparison: the inner one is evaluated, and counted, first; both can be
// changed.
TEST(ApplyToKernel, CountsOperandsFirst) {
  const KernelSubject kernel = StoreKernel([](const Node& load) {
    const Node inner = Make(prim::kLT, load, FloatImm("float32", 0.5));
    const Node number = Make(prim::kCast, PrimType("float32"), inner);
    return Make(prim::kCast, PrimType("float32"), Make(prim::kLT, number, FloatImm("float32", 1)));
  });
  const MutationOperator& op = *FindOperator("code.threshold");
  const Json parameters = CheckParameters(op, {{"relations", {"lt"}}, {"value", 0.25}}).value();
  const auto points = EnumerateKernels(op, parameters, {kernel}).value();
  ASSERT_EQ(points.size(), 3u);
  const auto bounds = [&](const std::vector<MutationPoint>& chosen) {
    const auto mutated = ApplyToKernel(op, parameters, kernel, kernel.function, chosen);
    EXPECT_TRUE(mutated.ok()) << mutated.error().message;
    const Node store = LeafBlocks(mutated.value()).front()["body"];
    const Node outer = store["value"]["value"], inner = outer["a"]["value"];
    return std::make_pair(inner["b"].Is(prim::kAdd), outer["b"].Is(prim::kAdd));
  };
  EXPECT_EQ(bounds({points[0]}), std::make_pair(true, false));
  EXPECT_EQ(bounds({points[1]}), std::make_pair(false, true));
  EXPECT_EQ(bounds({points[0], points[1]}), std::make_pair(true, true));
}

// An operator that no longer knows a node once what is inside it has changed: the numbers and the
// choice are those of the nodes as they were.
TEST(ApplyToKernel, NestedNodesAreChosenAsTheyWere) {
  static const MutationOperator halves = {
      .id = "code.halves",
      .matches =
          [](const Node& node, const Json&) {
            if (!node.Is(prim::kAdd)) return false;
            bool plain = true;  // no product within
            Walk(node, [&](const Node& inner) { plain = plain && !inner.Is(prim::kMul); });
            return plain;
          },
      .rewrite =
          [](const Node& node, const Json&) {
            return std::vector<Node>{Make(prim::kMul, node["a"], node["b"])};
          }};
  const KernelSubject kernel = StoreKernel([](const Node& load) {
    const Node inner = Make(prim::kAdd, load, FloatImm("float32", 0.5));
    return Make(prim::kAdd, inner, FloatImm("float32", 1));
  });
  const auto points = EnumerateKernels(halves, Json::object(), {kernel}).value();
  ASSERT_EQ(points.size(), 2u);
  const auto mutated = ApplyToKernel(halves, Json::object(), kernel, kernel.function, points);
  ASSERT_TRUE(mutated.ok()) << mutated.error().message;
  const Node value = LeafBlocks(mutated.value()).front()["body"]["value"];
  EXPECT_TRUE(value.Is(prim::kMul));
  EXPECT_TRUE(value["a"].Is(prim::kMul));
}

TEST(ApplyToKernel, TakesThePointsOfItsStepOnly) {
  KernelSubject first = Convolution(), second = first;
  first.step = "conv1";
  second.step = "conv2";
  const Applied applied = PointsInKernels(
      "code.relation", {{"from", Json::array({"lt"})}, {"to", Json::array({"le"})}});
  const auto points = EnumerateKernels(*applied.op, applied.parameters, {first, second}).value();
  ASSERT_EQ(points.size(), 4u);  // two comparisons in the padding, for each step
  EXPECT_EQ(points[0].step, "conv1");
  EXPECT_EQ(points[2].step, "conv2");
  EXPECT_EQ(points[2].index, 2);
  const std::vector<MutationPoint> chosen = {points[0], points[3]};
  auto count = [&](const KernelSubject& subject) {
    const auto mutated =
        ApplyToKernel(*applied.op, applied.parameters, subject, subject.function, chosen);
    EXPECT_TRUE(mutated.ok()) << mutated.error().message;
    return CountIn(mutated.value()["body"], prim::kLT);  // of two
  };
  EXPECT_EQ(count(first), 1);
  EXPECT_EQ(count(second), 1);
  second.step = "conv3";
  EXPECT_FALSE(
      ApplyToKernel(*applied.op, applied.parameters, second, second.function, chosen).ok());
}

TEST(ApplyToKernel, RefusesStalePoints) {
  const KernelSubject kernel = Convolution();
  const Applied applied = PointsInKernels("code.relation", kLtToLe);
  const MutationPoint good = PointAt(applied, "pad_temp", 0);
  auto refused = [&](MutationPoint point) {
    const auto mutated =
        ApplyToKernel(*applied.op, applied.parameters, kernel, kernel.function, {point});
    EXPECT_FALSE(mutated.ok());
    return !mutated.ok() && mutated.error().code == Code::kInternal;
  };
  MutationPoint point = good;
  point.match = 2;
  EXPECT_TRUE(refused(point));
  point = good;
  point.block = "no_such_block";
  EXPECT_TRUE(refused(point));
  point = good;
  point.variant = 1;
  EXPECT_TRUE(refused(point));
  point = good;
  point.kernel = "another";  // nothing is left to apply
  EXPECT_TRUE(refused(point));
  const auto twice =
      ApplyToKernel(*applied.op, applied.parameters, kernel, kernel.function, {good, good});
  EXPECT_FALSE(twice.ok());
}

TEST(ApplyToKernel, RefusesAReplacementEqualToTheNode) {
  static const MutationOperator same = {
      .id = "code.same",
      .matches = [](const Node& node, const Json&) { return node.Is(prim::kLT); },
      .rewrite = [](const Node& lt, const Json&) -> std::vector<Node> {
        return {Make(prim::kLT, lt["a"], lt["b"]), Make(prim::kLE, lt["a"], lt["b"])};
      }};
  const KernelSubject kernel = Convolution();
  const auto points = EnumerateKernels(same, Json::object(), {kernel}).value();
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].variant, 1);  // variant 0 is the node itself
  MutationPoint point = points[0];
  point.variant = 0;
  const auto mutated = ApplyToKernel(same, Json::object(), kernel, kernel.function, {point});
  ASSERT_FALSE(mutated.ok());
  EXPECT_EQ(mutated.error().code, Code::kInternal);
}

TEST(ApplyToKernel, AnOperatorThatThrowsIsAnError) {
  static const MutationOperator broken = {
      .id = "code.broken",
      .matches = [](const Node& node, const Json&) { return node.Is(prim::kLT); },
      .rewrite = [](const Node& lt, const Json&) -> std::vector<Node> {
        if (IsFloat(lt["a"])) GiveUp("on purpose");
        return {Make(prim::kAdd, lt["a"], FloatImm("float32", 1))};  // TVM refuses these operands
      }};
  for (const KernelSubject& kernel : ExampleKernels()) {
    const auto points = EnumerateKernels(broken, Json::object(), {kernel});
    ASSERT_FALSE(points.ok());
    EXPECT_EQ(points.error().code, Code::kTvm);
    EXPECT_NE(points.error().message.find("code.broken in kernel " + kernel.key),
              std::string::npos);
  }
}

// The convolution as a schedule leaves it: padding computed inside, reduction split into init and
// update, the activation reading a cached block that is the schedule's own.
Node Scheduled(const Node& function) {
  Schedule schedule(function);
  auto block = [&](const std::string& name) {
    for (const Node& handle : schedule.Blocks())
      if (schedule.NameOf(handle) == name) return handle;
    GiveUp("no block " + name);
  };
  schedule.ComputeAt(block("pad_temp"), schedule.Loops(block("conv2d_nchw"))[2]);
  schedule.CacheWrite(block("compute"), "local");
  schedule.Split(schedule.Loops(block("compute"))[3], {4});  // 5 columns in fours: a predicate
  schedule.DecomposeReduction(block("conv2d_nchw"), schedule.Loops(block("conv2d_nchw"))[4]);
  return schedule.Function();
}

TEST(ApplyToKernel, FindsOriginBlocksInASchedule) {
  const KernelSubject kernel = Convolution();
  const auto scheduled = Guard("", [&] { return Scheduled(kernel.function); });
  ASSERT_TRUE(scheduled.ok()) << scheduled.error().message;
  std::vector<std::string> names;
  for (const Node& block : LeafBlocks(scheduled.value())) names.push_back(BlockName(block));
  ASSERT_NE(std::find(names.begin(), names.end(), "conv2d_nchw_init"), names.end());
  ASSERT_NE(std::find(names.begin(), names.end(), "conv2d_nchw_update"), names.end());
  ASSERT_EQ(names.size(), 5u);  // and one the schedule added: never mutated

  const Applied applied = PointsInKernels("code.store_value", {{"value", 0.5}});
  const std::vector<std::pair<int, std::string>> expected = {{0, "conv2d_nchw_init"},
                                                             {1, "conv2d_nchw_update"}};
  for (const auto& [match, name] : expected) {
    const auto mutated = ApplyToKernel(*applied.op, applied.parameters, kernel, scheduled.value(),
                                       {PointAt(applied, "conv2d_nchw", match)});
    ASSERT_TRUE(mutated.ok()) << mutated.error().message;
    std::vector<std::string> changed;
    const auto before = LeafBlocks(scheduled.value()), after = LeafBlocks(mutated.value());
    for (size_t i = 0; i < after.size(); ++i)
      if (!StructuralEqual(before[i], after[i], false)) changed.push_back(BlockName(after[i]));
    EXPECT_EQ(changed, std::vector<std::string>{name});
  }
  const auto all =
      ApplyToKernel(*applied.op, applied.parameters, kernel, scheduled.value(), applied.points);
  ASSERT_TRUE(all.ok()) << all.error().message;
}

// The same mutant, whether the kernel is scheduled before or not.
TEST(ApplyToKernel, GivesTheSameValuesScheduledOrNot) {
  const KernelSubject kernel = Convolution();
  const Node scheduled = Guard("", [&] { return Scheduled(kernel.function); }).value();
  const Applied applied = PointsInKernels("code.store_value", {{"value", 0.5}});
  std::vector<float> x(50), w(54);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
  for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 5) - 2;
  auto run = [&](const Node& function) {
    std::vector<float> y(75, -1);
    RunKernel(function, {{{1, 2, 5, 5}, "float32", x.data()},
                         {{3, 2, 3, 3}, "float32", w.data()},
                         {{1, 3, 5, 5}, "float32", y.data()}});
    return y;
  };
  const auto original = run(kernel.function);
  EXPECT_EQ(run(scheduled), original);
  for (const MutationPoint& point : applied.points) {
    if (point.kernel != kernel.key) continue;
    const auto plain =
        ApplyToKernel(*applied.op, applied.parameters, kernel, kernel.function, {point});
    const auto tiled = ApplyToKernel(*applied.op, applied.parameters, kernel, scheduled, {point});
    ASSERT_TRUE(plain.ok() && tiled.ok());
    const auto values = run(plain.value());
    EXPECT_NE(values, original) << DumpJson(point.ToJson());
    EXPECT_EQ(run(tiled.value()), values) << DumpJson(point.ToJson());
  }
}

TEST(ApplyToKernel, RefusesABlockThatTheScheduleInlined) {
  const KernelSubject kernel = Convolution();
  const auto inlined = Guard("", [&] {
    Schedule schedule(kernel.function);
    schedule.ComputeInline(schedule.Blocks().front());
    return schedule.Function();
  });
  ASSERT_TRUE(inlined.ok()) << inlined.error().message;
  const Applied applied = PointsInKernels("code.relation", kLtToLe);
  const auto mutated = ApplyToKernel(*applied.op, applied.parameters, kernel, inlined.value(),
                                     {PointAt(applied, "pad_temp", 0)});
  ASSERT_FALSE(mutated.ok());
  EXPECT_EQ(mutated.error().code, Code::kInternal);
}

TEST(ApplyToGraph, ChangesOneBindingAndRefusesStalePoints) {
  const Graph graph = ExampleGraph();
  const Applied applied =
      PointsInGraph("graph.insert_operation", {{"functions", {"conv2d", "dense"}}});
  ASSERT_EQ(applied.points.size(), 3u);
  for (const MutationPoint& point : applied.points) {
    const auto mutated = ApplyToGraph(*applied.op, applied.parameters, graph, {point});
    ASSERT_TRUE(mutated.ok()) << mutated.error().message;
    for (size_t i = 0; i < graph.bindings.size(); ++i)
      EXPECT_EQ(mutated.value().bindings[i].value.Same(graph.bindings[i].value),
                graph.bindings[i].layer != point.layers[0] || graph.bindings[i].synthetic);
  }
  MutationPoint stale = applied.points[0];
  stale.layers = {"Conv_9"};
  EXPECT_EQ(ApplyToGraph(*applied.op, applied.parameters, graph, {stale}).error().code,
            Code::kInternal);
  stale = applied.points[0];
  stale.match = 7;
  EXPECT_EQ(ApplyToGraph(*applied.op, applied.parameters, graph, {stale}).error().code,
            Code::kInternal);
  EXPECT_FALSE(ApplyToGraph(*applied.op, applied.parameters, graph, {}).ok());
}

// What TVM types otherwise, or not at all, is counted and is no point.
TEST(EnumerateGraph, LeavesOutWhatHasAnotherType) {
  static const MutationOperator any = {
      .id = "graph.any",
      .matches = [](const Node& node, const Json&) { return node.Is(type::kCall); },
      .rewrite = [](const Node& call, const Json&) -> std::vector<Node> {
        const Node x = call["args"].At(0);
        return {Call(make::kMatmul, x, x, Node()), relax::OperatorCall("relax.isnan", {x}),
                relax::OperatorCall(op::kRelu, {x})};
      }};
  const auto points = EnumerateGraph(any, Json::object(), ExampleGraph()).value();
  std::vector<std::pair<int, int>> found;
  for (const MutationPoint& point : points) found.emplace_back(point.match, point.variant);
  // Match 3 is the convolution of 1x1: a relu in its place fits, and so does the product of its
  // square planes. Match 2 is a relu already. No bool fits where a float32 was.
  EXPECT_EQ(std::count(found.begin(), found.end(), std::make_pair(3, 0)), 1);
  EXPECT_EQ(std::count(found.begin(), found.end(), std::make_pair(3, 2)), 1);
  EXPECT_EQ(std::count(found.begin(), found.end(), std::make_pair(2, 2)), 0);
  for (const auto& [match, variant] : found) EXPECT_NE(variant, 1) << match;
}

// An edit of another binding than the one that matches, and two points that edit the same.
TEST(ApplyToGraph, EditsWhereTheEditSays) {
  const Graph graph = ExampleGraph();
  const Applied applied = PointsInGraph("graph.layer_removed");
  for (const MutationPoint& point : applied.points) {
    const auto mutated = ApplyToGraph(*applied.op, applied.parameters, graph, {point}).value();
    int changed = 0;
    for (size_t i = 0; i < graph.bindings.size(); ++i) {
      if (mutated.bindings[i].value.Same(graph.bindings[i].value)) continue;
      ++changed;
      EXPECT_EQ(graph.bindings[i].layer, point.layers[0]);
      EXPECT_TRUE(i + 1 == graph.bindings.size() ||
                  graph.bindings[i + 1].layer != point.layers[0]);  // the layer's last
    }
    EXPECT_EQ(changed, 1);
  }
  static const MutationOperator last = {
      .id = "graph.last",
      .matches = [](const Node& node, const Json&) { return IsCallOf(node, op::kConv2d); },
      .rewrite_graph = [](const GraphView& view, size_t, const Json&) -> std::vector<GraphEdit> {
        const size_t last = view.graph().bindings.size() - 1;
        return {{last, view.binding(last - 1).variable}};
      }};
  const auto points = EnumerateGraph(last, Json::object(), graph).value();
  ASSERT_EQ(points.size(), 2u);
  EXPECT_TRUE(ApplyToGraph(last, Json::object(), graph, {points[0]}).ok());
  EXPECT_EQ(ApplyToGraph(last, Json::object(), graph, points).error().code, Code::kInternal);
}

// Two targets: a variant is a point where it changes one of them, and leaves the other as it is.
TEST(ApplyToSettings, ChangesTheTargetsThatItAppliesTo) {
  const MutationOperator& op = *FindOperator("build.cpu");
  const Json parameters = CheckParameters(op, {{"to", {"haswell", "x86-64"}}}).value();
  KernelSubject kernel = ExampleKernels().front();
  BuildSettings other = kernel.settings.front();  // of haswell
  other.target["mcpu"] = "skylake";
  const auto one = EnumerateKernels(op, parameters, {kernel}).value();
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].block, "x86-64");
  EXPECT_EQ(one[0].variant, 1);
  kernel.settings.push_back(other);
  const auto both = EnumerateKernels(op, parameters, {kernel}).value();
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].block, "haswell");
  const auto same = ApplyToSettings(op, parameters, kernel.settings.front(), both[0]).value();
  EXPECT_EQ(TextOf(same), TextOf(kernel.settings.front()));
  const auto changed = ApplyToSettings(op, parameters, other, both[0]).value();
  EXPECT_EQ(changed.target["mcpu"], "haswell");
  EXPECT_FALSE(changed.target.contains("mattr")) << "features are the CPU's own";
  MutationPoint renamed = both[0];
  renamed.block = "x86-64-v2";
  EXPECT_EQ(ApplyToSettings(op, parameters, other, renamed).error().code, Code::kInternal);
}

// With positions one mutant drops the first pass that is named, in every kernel.
TEST(ApplyToSettings, PositionsTakeOneVariantOfEachKernel) {
  const MutationOperator& op = *FindOperator("build.pass_dropped");
  const Json parameters =
      CheckParameters(op,
                      {{"passes", {"tirx.transform.UnrollLoop", "s_tir.transform.StmtSimplify"}}})
          .value();
  const auto kernels = ExampleKernels();
  const auto points = EnumerateKernels(op, parameters, kernels).value();
  EXPECT_EQ(points.size(), 2 * kernels.size());
  const auto mutants = MakeMutants({op.id, parameters, "\"all\""}, op.category, points, "").value();
  ASSERT_EQ(mutants.size(), 1u);
  EXPECT_EQ(mutants[0].level, Level::kBuild);
  EXPECT_EQ(mutants[0].points.size(), kernels.size());
  for (const MutationPoint& point : mutants[0].points)
    EXPECT_EQ(point.block, "without s_tir.transform.StmtSimplify");
}

}  // namespace
}  // namespace mutatenn
