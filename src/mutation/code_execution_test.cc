// Every code operator, run: the mutated kernel, compiled and called, against the mutated expression
// written out in C++. Inputs are small integers and quarters, so that sums are exact in any order.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "mutation/example_test.h"

namespace mutatenn {
namespace {

const Json kLtToLe = {{"from", {"lt"}}, {"to", {"le"}}};

Json RightPlus(double value) { return {{"relations", {"lt"}}, {"value", value}}; }

// A kernel of the examples with the one point in `block` applied.
Node Mutated(const std::string& id, const Json& parameters, const std::string& block, int match) {
  const Applied applied = PointsInKernels(id, parameters);
  const MutationPoint point = PointAt(applied, block, match);
  for (const KernelSubject& kernel : ExampleKernels()) {
    if (kernel.key != point.kernel) continue;
    const auto mutated =
        ApplyToKernel(*applied.op, applied.parameters, kernel, kernel.function, {point});
    EXPECT_TRUE(mutated.ok()) << mutated.error().message;
    return mutated.value();
  }
  ADD_FAILURE() << "no kernel " << point.kernel;
  return {};
}

struct Compared {
  std::vector<float> chosen = std::vector<float>(8), kept = std::vector<float>(8);
  std::vector<int32_t> late = std::vector<int32_t>(8);
  bool operator==(const Compared&) const = default;
};

std::vector<float> Quarters() { return {-1, 0, 0.25, 0.5, 0.75, 1, 7, 0.25}; }

Compared RunComparisons(const Node& function, std::vector<float> x) {
  int32_t bound = 5;
  Compared result;
  RunKernel(function, {{{8}, "float32", x.data()},
                       {{1}, "int32", &bound},
                       {{8}, "float32", result.chosen.data()},
                       {{8}, "float32", result.kept.data()},
                       {{8}, "int32", result.late.data()}});
  return result;
}

// The kernel in C++; `below` decides x < 0.25, `kept` how many elements are kept.
template <class Below>
Compared ExpectComparisons(const std::vector<float>& x, Below below, int kept) {
  Compared result;
  for (int i = 0; i < 8; ++i) {
    result.chosen[i] = below(x[i]) ? x[i] * 2 : x[i] + 1;
    result.kept[i] = i < kept ? x[i] : 0;
    result.late[i] = i > 3;
  }
  return result;
}
bool BelowQuarter(float x) { return x < 0.25f; }

TEST(CodeExecution, OriginalIsWhatWeThink) {
  EXPECT_EQ(RunComparisons(ExampleKernels()[1].function, Quarters()),
            ExpectComparisons(Quarters(), BelowQuarter, 5));
}

TEST(CodeExecution, LtToLe) {
  EXPECT_EQ(RunComparisons(Mutated("code.relation", kLtToLe, "choose", 0), Quarters()),
            ExpectComparisons(
                Quarters(), [](float x) { return x <= 0.25f; }, 5));
  EXPECT_EQ(RunComparisons(Mutated("code.relation", kLtToLe, "keep", 0), Quarters()),
            ExpectComparisons(Quarters(), BelowQuarter, 6));
}

TEST(CodeExecution, ThresholdRightAdd) {
  const auto run = [](double value, const std::string& block) {
    return RunComparisons(Mutated("code.threshold", RightPlus(value), block, 0), Quarters());
  };
  EXPECT_EQ(run(0.5, "choose"), ExpectComparisons(
                                    Quarters(), [](float x) { return x < 0.75f; }, 5));
  EXPECT_EQ(run(-0.25, "choose"), ExpectComparisons(
                                      Quarters(), [](float x) { return x < 0; }, 5));
  // i < 5 + c for whole i keeps ceil(5 + c) elements.
  for (const double value : {0.5, 1.0, 1.5, -1.0, -1.5, -2.25, 2.0})
    EXPECT_EQ(run(value, "keep"),
              ExpectComparisons(Quarters(), BelowQuarter, int(std::ceil(5 + value))))
        << value;
}

// Between integers a constant of (-1, 0] changes nothing, so there is no point.
TEST(CodeExecution, ThresholdRightAddLeavesOutWhatChangesNothing) {
  for (const double value : {0.0, -0.5, -0.999}) {
    const Applied applied = PointsInKernels("code.threshold", RightPlus(value));
    EXPECT_EQ(applied.points.size(), value == 0 ? 0u : 1u) << value;  // the float comparison
  }
}

TEST(CodeExecution, StoreAdd) {
  for (const double value : {0.5, -3.25}) {
    Compared expected = ExpectComparisons(Quarters(), BelowQuarter, 5);
    for (float& element : expected.chosen) element += static_cast<float>(value);
    EXPECT_EQ(
        RunComparisons(Mutated("code.store_value", {{"value", value}}, "choose", 0), Quarters()),
        expected);
  }
}

TEST(CodeExecution, StoreFloat16) {
  // Stored is 2x below 0.25 and x + 1 else; float16 of each, by hand.
  const std::vector<float> x = {-0.1f, 2047, 2048, 2050, 70000, 1e-3f, -1e-9f, 65504};
  const std::vector<float> expected = {
      -0.199951171875f,       2048, 2048, 2052, std::numeric_limits<float>::infinity(),
      0.0020008087158203125f, 0,    65504};
  const Compared result =
      RunComparisons(Mutated("code.store_type", {{"to", "float16"}}, "choose", 0), x);
  EXPECT_EQ(result.chosen, expected);
  EXPECT_EQ(result.kept, ExpectComparisons(x, BelowQuarter, 5).kept);
}

// The convolution in C++: padding by a condition of the test's, a start value and a value added at
// each store of the reduction.
struct Image {
  std::vector<float> memory =
      std::vector<float>(50 + 2 * kSlack, 100);  // the image with 100s around it
  std::vector<float> weight = std::vector<float>(54);
  Image() {
    for (int i = 0; i < 50; ++i) memory[kSlack + i] = static_cast<float>(i % 7 - 3);
    for (int i = 0; i < 54; ++i) weight[i] = static_cast<float>(i % 5 - 2);
  }
  float* x() { return memory.data() + kSlack; }
};

template <class Inside>
std::vector<float> ExpectConvolution(Image image, Inside inside, float start, float step) {
  std::vector<float> y(75);
  for (int f = 0; f < 3; ++f)
    for (int r = 0; r < 5; ++r)
      for (int c = 0; c < 5; ++c) {
        float sum = start;
        for (int k = 0; k < 2; ++k)
          for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j) {
              const int row = r + i, column = c + j;  // in the padded 7x7 plane
              const float x =
                  inside(row, column) ? image.x()[k * 25 + (row - 1) * 5 + column - 1] : 0;
              sum = sum + x * image.weight[((f * 2 + k) * 3 + i) * 3 + j] + step;
            }
        y[(f * 5 + r) * 5 + c] = std::max(sum, 0.0f);
      }
  return y;
}

std::vector<float> RunConvolution(const Node& function) {
  Image image;
  std::vector<float> y(75, -1);
  RunKernel(function, {{{1, 2, 5, 5}, "float32", image.x(), /*slack=*/kSlack},
                       {{3, 2, 3, 3}, "float32", image.weight.data()},
                       {{1, 3, 5, 5}, "float32", y.data()}});
  return y;
}

TEST(CodeExecution, PaddedConvolution) {
  const auto inside = [](int row, int column) {
    return 1 <= row && row < 6 && 1 <= column && column < 6;
  };
  const auto row_le = [](int row, int column) {
    return 1 <= row && row <= 6 && 1 <= column && column < 6;
  };
  const auto column_le = [](int row, int column) {
    return 1 <= row && row < 6 && 1 <= column && column <= 6;
  };
  EXPECT_EQ(RunConvolution(ExampleKernels()[0].function), ExpectConvolution({}, inside, 0, 0));
  const auto row = ExpectConvolution({}, row_le, 0, 0),
             column = ExpectConvolution({}, column_le, 0, 0);
  EXPECT_EQ(RunConvolution(Mutated("code.relation", kLtToLe, "pad_temp", 0)), row);
  EXPECT_EQ(RunConvolution(Mutated("code.relation", kLtToLe, "pad_temp", 1)), column);
  EXPECT_EQ(RunConvolution(Mutated("code.threshold", RightPlus(0.5), "pad_temp", 0)), row);
  EXPECT_EQ(RunConvolution(Mutated("code.threshold", RightPlus(1), "pad_temp", 1)), column);
  const Json half = {{"value", 0.5}};
  EXPECT_EQ(RunConvolution(Mutated("code.store_value", half, "conv2d_nchw", 0)),
            ExpectConvolution({}, inside, 0.5, 0));
  EXPECT_EQ(RunConvolution(Mutated("code.store_value", half, "conv2d_nchw", 1)),
            ExpectConvolution({}, inside, 0, 0.5));
}

}  // namespace
}  // namespace mutatenn
