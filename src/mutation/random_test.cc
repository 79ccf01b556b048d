// Random numbers: the same on every machine, and spread as their names say.
#include "mutation/random.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mutatenn {
namespace {

// The first outputs of splitmix64 as its authors publish it, from this seed.
TEST(Random, IsSplitmix64) {
  Random random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
}

TEST(Random, IsSpreadAsItSays) {
  Random random(1);
  const int count = 100000;
  double uniform = 0, gaussian = 0, squares = 0;
  std::vector<int> below(7);
  for (int i = 0; i < count; ++i) {
    const double u = random.Uniform(), g = random.Gaussian();
    ASSERT_TRUE(u >= 0 && u < 1);
    ASSERT_TRUE(std::isfinite(g));
    uniform += u, gaussian += g, squares += g * g;
    ++below[random.Below(7)];
  }
  // Five standard deviations of each mean.
  EXPECT_NEAR(uniform / count, 0.5, 5 * std::sqrt(1.0 / 12 / count));
  EXPECT_NEAR(gaussian / count, 0, 5 * std::sqrt(1.0 / count));
  EXPECT_NEAR(squares / count, 1, 5 * std::sqrt(2.0 / count));
  for (const int hits : below) EXPECT_NEAR(hits, count / 7.0, 5 * std::sqrt(count / 7.0));
}

}  // namespace
}  // namespace mutatenn
