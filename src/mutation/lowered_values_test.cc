// Lowered operators on the example "lowered", run: every variant at a place against the same loops
// written out in C++. The GPU's kernel among the examples is looked at in the goldens only.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "mutation/example_test.h"

namespace mutatenn {
namespace {

constexpr float kUnwritten = -7;
constexpr int kRows = 3, kColumns = 10, kVectors = 8;
using Values = std::vector<float>;

std::vector<Node> MutantsIn(const std::string& role, const std::string& id, const Json& given,
                            int match) {
  const MutationOperator& op = *FindOperator(id);
  const Json parameters = CheckParameters(op, given).value();
  std::vector<Node> mutants;
  for (const KernelSubject& kernel : ExampleKernels("lowered")) {
    if (kernel.role != role) continue;
    const auto points = EnumerateKernels(op, parameters, {kernel});
    EXPECT_TRUE(points.ok()) << points.error().message;
    for (const MutationPoint& point : points.value()) {
      if (point.match != match) continue;
      const auto mutated = ApplyToKernel(op, parameters, kernel, kernel.function, {point});
      EXPECT_TRUE(mutated.ok()) << mutated.error().message;
      mutants.push_back(mutated.value());
    }
  }
  return mutants;
}

float X(int i) { return static_cast<float>((i * 37) % 23) - 11.25f; }

Values RunScaled(const Node& function) {
  Values x(30 + 2 * kSlack), y(30, kUnwritten);
  for (int i = 0; i < static_cast<int>(x.size()); ++i) x[i] = X(i - kSlack);
  RunKernel(function, {{{kRows, kColumns}, "float32", x.data() + kSlack, kSlack},
                       {{kRows, kColumns}, "float32", y.data()}});
  return y;
}

// Writes 2x where `made` says so of a row and a column; the column may be beyond the row.
Values Scaled(const std::function<bool(int, int)>& made) {
  Values y(30, kUnwritten);
  for (int row = 0; row < kRows; ++row)
    for (int column = 0; column < kColumns; ++column)
      if (made(row, column)) y[row * kColumns + column] = 2 * X(row * kColumns + column);
  return y;
}

Values RunLargest(const Node& function) {
  Values x(80), y(kVectors, kUnwritten);
  for (int i = 0; i < 80; ++i) x[i] = X(i);
  RunKernel(function, {{{10, kVectors}, "float32", x.data()}, {{kVectors}, "float32", y.data()}});
  return y;
}

// From `start`, through the rows of [begin, 10), each step through `step`.
Values Largest(float start, int begin, const std::function<float(float)>& step) {
  Values y(kVectors);
  for (int column = 0; column < kVectors; ++column) {
    float largest = start;
    for (int row = begin; row < 10; ++row) {
      const float x = X(row * kVectors + column);
      largest = step(largest < x ? x : largest);
    }
    y[column] = largest;
  }
  return y;
}
float Same(float value) { return value; }

TEST(LoweredValues, OriginalIsWhatWeThink) {
  const auto kernels = ExampleKernels("lowered");
  EXPECT_EQ(RunScaled(kernels[0].function), Scaled([](int, int) { return true; }));
  EXPECT_EQ(RunLargest(kernels[1].function), Largest(-1000.5f, 0, Same));
}

TEST(LoweredValues, Loops) {
  // The innermost loop, over k, comes first: column = 4 * piece + k.
  const auto all = [](int, int) { return true; };
  const std::vector<Values> expected = {
      Scaled([](int, int) { return false; }),                   // dropped
      Scaled([](int, int column) { return column % 2 == 0; }),  // every other
      Scaled([](int, int column) { return column % 4 != 0; }),  // the first dropped
      Scaled([](int, int column) { return column % 4 != 3; }),  // the last dropped
      Scaled(all),                                              // one more: what comes next
      Scaled(all),                                              // reversed
      Scaled([](int, int column) { return column != 0; })};     // shifted
  const auto mutants = MutantsIn("scaled", "lowered.loop", Json::object(), 0);
  ASSERT_EQ(mutants.size(), expected.size());
  for (size_t i = 0; i < mutants.size(); ++i) EXPECT_EQ(RunScaled(mutants[i]), expected[i]) << i;
  // The outermost, over pairs of rows.
  const auto rows = MutantsIn("scaled", "lowered.loop", {{"change", {"last_dropped"}}}, 3);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(RunScaled(rows[0]), Scaled([](int row, int) { return row < 2; }));
  // The order of a maximum does not show.
  const auto reversed = MutantsIn("largest", "lowered.loop", {{"change", {"dropped"}}}, 0);
  ASSERT_EQ(reversed.size(), 1u);
  EXPECT_EQ(RunLargest(reversed[0]), Values(kVectors, kUnwritten));
}

TEST(LoweredValues, PredicatesOfTails) {
  const auto relation = MutantsIn("scaled", "lowered.relation", {{"to", {"gt"}}}, 0);
  ASSERT_EQ(relation.size(), 1u);  // 2i + h > 3 is no row
  EXPECT_EQ(RunScaled(relation[0]), Scaled([](int, int) { return false; }));
  const auto threshold = MutantsIn("scaled", "lowered.threshold", {{"value", -2}}, 1);
  ASSERT_EQ(threshold.size(), 1u);
  EXPECT_EQ(RunScaled(threshold[0]), Scaled([](int, int column) { return column < 8; }));
  const auto condition = MutantsIn("scaled", "lowered.condition", {{"to", {"false"}}}, 0);
  ASSERT_EQ(condition.size(), 1u);
  EXPECT_EQ(RunScaled(condition[0]), Scaled([](int, int) { return false; }));
  // Started at every step: the last row is left.
  const auto started = MutantsIn("largest", "lowered.condition", {{"to", {"true"}}}, 0);
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(RunLargest(started[0]), Largest(-1000.5f, 9, Same));
}

TEST(LoweredValues, VectorsOfLanes) {
  // The init's store, then the update's.
  const auto values = [](const Json& given, int match) {
    const auto mutants = MutantsIn("largest", "lowered.store_value", given, match);
    EXPECT_EQ(mutants.size(), 1u);
    return RunLargest(mutants.at(0));
  };
  EXPECT_EQ(values({{"operation", "constant"}, {"value", 5.5}}, 0), Largest(5.5f, 0, Same));
  EXPECT_EQ(values({{"operation", "times"}, {"value", 0.5}}, 1),
            Largest(-1000.5f, 0, [](float value) { return value * 0.5f; }));
  const auto types = MutantsIn("largest", "lowered.store_type", {{"to", "int8"}}, 1);
  ASSERT_EQ(types.size(), 1u);
  EXPECT_EQ(RunLargest(types[0]),
            Largest(-1000.5f, 0, [](float value) { return std::trunc(value); }));
  const auto select = MutantsIn("largest", "lowered.relation", {{"to", {"gt"}}}, 1);
  ASSERT_EQ(select.size(), 1u);
  Values smallest(kVectors);
  for (int column = 0; column < kVectors; ++column) smallest[column] = -1000.5f;
  EXPECT_EQ(RunLargest(select[0]), smallest);
}

TEST(LoweredPoints, AreOfOneTarget) {
  const MutationOperator& op = *FindOperator("lowered.barrier");
  const Json parameters = CheckParameters(op, Json::object()).value();
  KernelSubject kernel = ExampleKernels("lowered").back();
  kernel.target = "gpu:1";
  const auto points = EnumerateKernels(op, parameters, {kernel}).value();
  ASSERT_EQ(points.size(), 2u);  // removed, narrowed to a warp
  EXPECT_EQ(points[0].target, "gpu:1");
  EXPECT_EQ(points[0].level, Level::kLowered);
  EXPECT_EQ(MutationPoint::FromJson(points[0].ToJson()).value().target, "gpu:1");
  EXPECT_TRUE(ApplyToKernel(op, parameters, kernel, kernel.function, {points[0]}).ok());
  kernel.target = "gpu:2";
  EXPECT_FALSE(ApplyToKernel(op, parameters, kernel, kernel.function, {points[0]}).ok());
}

}  // namespace
}  // namespace mutatenn
