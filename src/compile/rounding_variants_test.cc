// Roundings against the machine's own: what has no fused multiply-add rounds products, what has one
// does not; and float64 against sums made here.
#include "compile/rounding_variants.h"

#include <gtest/gtest.h>

#include "compile/schedule/kernel_check.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

class RoundingVariants : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(LoadCompiler().ok());
    kernels_ = MakeKernels("--generated").value();
  }
  static const TestKernel& Named(const std::string& name) {
    for (const TestKernel& kernel : kernels_)
      if (kernel.name.starts_with(name)) return kernel;
    CHECK(false, name);
    return kernels_[0];
  }
  static Target On(const std::string& cpu) {
    return ResolveTarget(R"({"kind": "llvm", "mcpu": ")" + cpu + "\"}").value();
  }
  static bool CanFuse() { return Call(global::kCpuHasFeature, "fma", On("host").node).Int() != 0; }
  static std::vector<float> Output(const Node& function, const Target& target) {
    return Buffers(function).Output(BuildKernel(function, target).value()).value();
  }

  static std::vector<TestKernel> kernels_;
};
std::vector<TestKernel> RoundingVariants::kernels_;

TEST_F(RoundingVariants, AreWhatTheMachineDoes) {
  if (!CanFuse()) GTEST_SKIP() << "this CPU has no fused multiply-add";
  const Target fused = On("x86-64-v3"), apart = On("x86-64");
  for (const char* name : {"16x32x28x28x3x1x1", "matmul:"}) {
    const Node function = Named(name).function;
    const auto by_fused = Output(function, fused), by_apart = Output(function, apart);
    EXPECT_NE(by_fused, by_apart) << "nothing to tell apart";
    EXPECT_EQ(Output(WithRoundedProducts(function), fused), by_apart) << name;
    EXPECT_EQ(Output(WithRoundedProducts(function), apart), by_apart) << name;
    EXPECT_EQ(Output(WithFusedProducts(function), apart), by_fused) << name;
    EXPECT_EQ(Output(WithFusedProducts(function), fused), by_fused) << name;
  }
}

TEST_F(RoundingVariants, Float64IsRoundedOnce) {
  const TestKernel& kernel = Named("matmul:");
  const std::vector<Node> parameters = kernel.function["params"].Items();
  const std::vector<int64_t> a_shape = ShapeOf(parameters[0]), shape = ShapeOf(parameters.back());
  ASSERT_EQ(parameters.size(), 3u);
  const int64_t rows = shape[shape.size() - 2], columns = shape.back(), inner = a_shape.back();
  const Target host = On("host");
  const std::vector<float> inputs = [&] {  // as Buffers fills them
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values;
    for (int64_t i = 0; i < rows * inner + inner * columns; ++i) values.push_back(uniform(random));
    return values;
  }();
  const Node local = WithLocalOutputs(kernel.function);
  EXPECT_FALSE(Guard("", [&] { return InFloat64(kernel.function); }).ok()) << "reads its sums";
  const std::vector<float> wide = Output(InFloat64(local), host), single = Output(local, host);
  double error = 0;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k)
        sum += static_cast<double>(inputs[i * inner + k]) * inputs[rows * inner + k * columns + j];
      EXPECT_FLOAT_EQ(wide[i * columns + j], static_cast<float>(sum));
      EXPECT_LE(std::abs(wide[i * columns + j] - sum), std::ldexp(std::abs(sum), -24) * 1.001);
      error = std::max(error, std::abs(single[i * columns + j] - sum));
    }
  EXPECT_GT(error, 1e-7);  // float32 alone would not pass
}

// Scheduled kernels are what campaigns have; most write each output once, and need no other form.
TEST_F(RoundingVariants, TakeScheduledKernels) {
  const Target host = On("host");
  int kernels = 0, wide_as_scheduled = 0;
  for (const TestKernel& kernel : kernels_) {
    if (++kernels % 4 != 0) continue;
    const Node normalized = Normalize(kernel.function).value();
    const Node scheduled = Tile(normalized, {}, kUnits[1])->function;
    const auto expected = Output(kernel.function, host);
    auto excess = [&](const Node& function) { return Excess(Output(function, host), expected); };
    EXPECT_LE(excess(WithRoundedProducts(scheduled)), 1) << kernel.name;
    EXPECT_LE(excess(WithFusedProducts(scheduled)), 1) << kernel.name;
    auto wide = Guard(kernel.name, [&] { return InFloat64(scheduled); });
    wide_as_scheduled += wide.ok();
    if (!wide.ok())
      wide = Guard(kernel.name, [&] { return InFloat64(WithLocalOutputs(normalized)); });
    ASSERT_TRUE(wide.ok()) << wide.error().message;
    EXPECT_LE(excess(*wide), 1) << kernel.name;
  }
  EXPECT_GT(wide_as_scheduled, 0);
}

}  // namespace
}  // namespace mutatenn
