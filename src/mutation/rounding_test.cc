// RoundTo against the compiler's own float and against values known by hand.
#include "mutation/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "mutation/example_test.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(RoundTo, Float32IsTheCompilersCast) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-155, 135), significand(-2, 2);
  for (int i = 0; i < 100000; ++i) {
    const double value = std::ldexp(significand(random), static_cast<int>(exponent(random)));
    ASSERT_EQ(*RoundTo("float32", value), static_cast<double>(static_cast<float>(value))) << value;
  }
  EXPECT_EQ(*RoundTo("float32", 3.5e38), kInfinity);
}

TEST(RoundTo, Float16ByHand) {
  EXPECT_EQ(*RoundTo("float16", 0.1), 0.0999755859375);
  EXPECT_EQ(*RoundTo("float16", 65504), 65504);
  EXPECT_EQ(*RoundTo("float16", 65519.99), 65504);
  EXPECT_EQ(*RoundTo("float16", 65520), kInfinity);
  EXPECT_EQ(*RoundTo("float16", -70000), -kInfinity);
  EXPECT_EQ(*RoundTo("float16", 2049), 2048);  // ties to even
  EXPECT_EQ(*RoundTo("float16", 2051), 2052);
  EXPECT_EQ(*RoundTo("float16", std::ldexp(1.0, -24)), std::ldexp(1.0, -24));  // the least number
  EXPECT_EQ(*RoundTo("float16", std::ldexp(1.0, -25)), 0);
  EXPECT_EQ(*RoundTo("bfloat16", 1.005), 1.0078125);
  EXPECT_EQ(*RoundTo("float64", 0.1), 0.1);
  EXPECT_TRUE(std::isnan(*RoundTo("float16", std::nan(""))));
  EXPECT_FALSE(RoundTo("int32", 1).has_value());
}

TEST(Addend, IsNothingWhereItWouldChangeNothing) {
  ASSERT_TRUE(LoadCompiler().ok());
  EXPECT_FALSE(Addend("float32", 0).has_value());
  EXPECT_FALSE(Addend("float32", 1e-60).has_value());
  EXPECT_FALSE(Addend("float32", 1e300).has_value());
  EXPECT_FALSE(Addend("int32", 1).has_value());
  const auto addend = Addend("float16", -0.1);
  ASSERT_TRUE(addend.has_value());
  EXPECT_TRUE(addend->Is(type::kFloatImm));
  EXPECT_EQ(DTypeOf(*addend), "float16");
  EXPECT_EQ(addend->Float(), -0.0999755859375);
}

}  // namespace
}  // namespace mutatenn
