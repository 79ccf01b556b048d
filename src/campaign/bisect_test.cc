// The search against every place that it can have to find, with and without what is not known.
#include "campaign/bisect.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mutatenn {
namespace {

std::optional<int> Found(int n, const std::function<std::optional<bool>(int)>& bad, int* asked) {
  auto counted = [&](int k) -> Result<std::optional<bool>> {
    ++*asked;
    return bad(k);
  };
  return FirstBad(n, counted).value();
}

TEST(FirstBad, FindsEveryPlaceInLogarithmicTime) {
  for (int n = 1; n <= 40; ++n)
    for (int place = 1; place <= n; ++place) {
      int asked = 0;
      EXPECT_EQ(Found(
                    n, [&](int k) { return k >= place; }, &asked),
                place);
      EXPECT_LE(asked, 3 + std::ceil(std::log2(n)));
    }
}

TEST(FirstBad, NeedsAGoodAndABadEnd) {
  int asked = 0;
  EXPECT_EQ(Found(
                9, [](int) { return true; }, &asked),
            std::nullopt);
  EXPECT_EQ(Found(
                9, [](int) { return false; }, &asked),
            std::nullopt);
  EXPECT_EQ(Found(
                9, [](int k) { return k == 0 ? std::optional<bool>() : true; }, &asked),
            std::nullopt);
}

TEST(FirstBad, GoesAroundWhatIsNotKnown) {
  int asked = 0;
  auto unknown = [](std::vector<int> places) {
    return [places](int k) {
      for (int place : places)
        if (k == place) return std::optional<bool>();
      return std::optional<bool>(k >= 6);
    };
  };
  EXPECT_EQ(Found(9, unknown({4, 3, 8}), &asked), 6);
  // The place lies behind one of these and nobody can say which.
  EXPECT_EQ(Found(9, unknown({5}), &asked), std::nullopt);
  EXPECT_EQ(Found(9, unknown({6}), &asked), std::nullopt);
}

// Not monotone: what is found is still a place where one more pass makes the difference.
TEST(FirstBad, GivesABoundaryWhateverLiesBetween) {
  int asked = 0;
  auto bad = [](int k) { return std::optional<bool>(k == 3 || k >= 7); };
  const auto found = Found(9, bad, &asked);
  ASSERT_TRUE(found);
  EXPECT_TRUE(*bad(*found));
  EXPECT_FALSE(*bad(*found - 1));
}

}  // namespace
}  // namespace mutatenn
