// Mutated indices in kernels whose buffers a schedule laid out anew: the values are those of the
// mutant without the schedule.
#include "mutation/carry_over.h"

#include <gtest/gtest.h>

#include "mutation/example_test.h"
#include "tvm/schedule.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// The padded image's columns and the rows of the sums as quotient and remainder: mutated indices go
// the way of the layout, and the mutant computes what it computes without it.
TEST(CarryOver, FollowsTheLayoutOfASchedule) {
  const KernelSubject kernel = ExampleKernels()[0];
  const auto scheduled = Guard("", [&] {
    Schedule schedule(kernel.function);
    const std::vector<Node> blocks = schedule.Blocks();  // pad_temp, conv2d_nchw, compute
    auto split = [](std::vector<Node> index, size_t axis, int64_t size) {
      const Node last = index[axis], divisor = IntImm("int64", size);
      index[axis] = Make(prim::kFloorDiv, last, divisor);
      index.push_back(Make(prim::kFloorMod, last, divisor));
      return index;
    };
    schedule.TransformWrite(blocks[0],
                            [&](const std::vector<Node>& index) { return split(index, 3, 7); });
    schedule.TransformWrite(blocks[1],
                            [&](const std::vector<Node>& index) { return split(index, 2, 5); });
    schedule.DecomposeReduction(blocks[1], schedule.Loops(blocks[1])[4]);
    return schedule.Function();
  });
  ASSERT_TRUE(scheduled.ok()) << scheduled.error().message;
  std::vector<float> x(50 + 2 * kSlack, 100), w(54);
  for (int i = 0; i < 50; ++i) x[kSlack + i] = static_cast<float>(i % 7) - 3;
  for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 5) - 2;
  auto run = [&](const Node& function) {
    std::vector<float> y(75, -1);
    RunKernel(function, {{{1, 2, 5, 5}, "float32", x.data() + kSlack, kSlack},
                         {{3, 2, 3, 3}, "float32", w.data()},
                         {{1, 3, 5, 5}, "float32", y.data()}});
    return y;
  };
  const auto original = run(kernel.function);
  EXPECT_EQ(run(scheduled.value()), original);
  int compared = 0;
  auto compare = [&](const Applied& applied, const std::string& block) {
    for (const MutationPoint& point : applied.points) {
      if (point.kernel != kernel.key || point.block != block) continue;
      auto mutant = [&](const Node& function) {
        return ApplyToKernel(*applied.op, applied.parameters, kernel, function, {point});
      };
      const auto plain = mutant(kernel.function), tiled = mutant(scheduled.value());
      ASSERT_TRUE(plain.ok() && tiled.ok()) << tiled.error().message;
      const auto values = run(plain.value());
      EXPECT_NE(values, original) << DumpJson(point.ToJson());
      EXPECT_EQ(run(tiled.value()), values) << DumpJson(point.ToJson());
      ++compared;
    }
  };
  const Json inside = {{"to", {"max", "min"}}};  // these stay in the padded image
  compare(PointsInKernels("code.arithmetic_index", inside), "conv2d_nchw");
  compare(PointsInKernels("code.arithmetic_index", inside), "pad_temp");
  compare(PointsInKernels("code.operand_swap"), "pad_temp");
  compare(PointsInKernels("code.store_neighbour"), "compute");
  EXPECT_EQ(compared, 4 + 4 + 2 + 1);
}

// Columns in eights, side by side: the memory is the same, so the mutants' results must be.
TEST(CarryOver, MakesQuotientsAndRemainders) {
  constexpr int kSide = 200, kEight = 8;
  const KernelSubject kernel = ExampleKernels("expressions")[1];
  const auto scheduled = Guard("", [&] {
    Schedule schedule(kernel.function);
    schedule.TransformWrite(schedule.Blocks()[0], [&](std::vector<Node> index) {
      const Node column = index[1], eight = IntImm("int64", kEight);
      index[1] = Make(prim::kFloorDiv, column, eight);
      index.push_back(Make(prim::kFloorMod, column, eight));
      return index;
    });
    const Node function = schedule.Function();
    return WithFields(function, {{"params", function["params"]}});
  });
  ASSERT_TRUE(scheduled.ok()) << scheduled.error().message;
  std::vector<float> x(kSide * kSide);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  auto run = [&](const Node& function, const std::vector<int64_t>& shape) {
    std::vector<float> y(kSide * kSide, -1);
    RunKernel(function, {{{kSide, kSide}, "float32", x.data()}, {shape, "float32", y.data()}});
    return y;
  };
  const Applied applied = PointsInKernels("code.store_neighbour", {{"offset", 3}});
  const auto points = EnumerateKernels(*applied.op, applied.parameters, {kernel}).value();
  ASSERT_EQ(points.size(), 1u);
  auto mutant = [&](const Node& function) {
    const auto made = ApplyToKernel(*applied.op, applied.parameters, kernel, function, points);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.value();
  };
  const auto plain = run(mutant(kernel.function), {kSide, kSide});
  EXPECT_EQ(plain[0], -1);
  EXPECT_EQ(plain[3], x[0]);
  EXPECT_EQ(plain[4], x[kSide]);
  EXPECT_EQ(run(mutant(scheduled.value()), {kSide, kSide / kEight, kEight}), plain);
}

}  // namespace
}  // namespace mutatenn
