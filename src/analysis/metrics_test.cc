// Metrics against numbers that scipy 1.17.1 gave (kendalltau, f_oneway, spatial.distance,
// stats.entropy of special.softmax in the project's .venv) and
// against distances counted by hand.
#include "analysis/metrics.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "analysis/anova.h"
#include "analysis/times.h"

namespace mutatenn {
namespace {

std::vector<Ranked> List(const std::vector<int64_t>& labels) {
  std::vector<Ranked> list;
  for (int64_t label : labels) list.push_back({label, 10.0 - static_cast<double>(list.size())});
  return list;
}

constexpr double kTolerance = 1e-12;  // of sums of a handful of doubles

double Tau(const std::vector<double>& x, const std::vector<double>& y) {
  return KendallTauB(x, y).value_or(-9);
}

TEST(KendallTauB, AsScipy) {
  EXPECT_NEAR(Tau({1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}), 1, kTolerance);
  EXPECT_NEAR(Tau({1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}), -1, kTolerance);
  EXPECT_NEAR(Tau({3, 1, 2}, {1, 3, 2}), -1, kTolerance);
  EXPECT_NEAR(Tau({1, 2, 2, 4, 5}, {1, 3, 2, 2, 5}), 0.6666666666666666, kTolerance);
  EXPECT_NEAR(Tau({1, 2, 3, 4, 4, 4}, {2, 1, 3, 3, 4, 5}), 0.6943650748294137, kTolerance);
}

TEST(KendallTauB, HasNoValueWhereScipySaysNan) {
  EXPECT_EQ(KendallTauB(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3}), std::nullopt);
  EXPECT_EQ(KendallTauB(std::vector<double>{1}, std::vector<double>{1}), std::nullopt);
  EXPECT_EQ(KendallTauB({}, {}), std::nullopt);
}

TEST(RankTau, IsOverRanksNotOverClassNumbers) {
  // scipy.stats.kendalltau of the ranks; the original tool fed it the class numbers and got -1
  // here.
  EXPECT_NEAR(*RankTau(List({3, 1, 2}), List({1, 3, 2})), 0.33333333333333337, kTolerance);
  EXPECT_NEAR(*RankTau(List({1, 2, 3}), List({1, 2, 3})), 1, kTolerance);
  // Ranks 1 2 3 4 5 6 6 against 1 3 2 6 6 4 5.
  EXPECT_NEAR(*RankTau(List({10, 11, 12, 13, 14}), List({10, 12, 11, 20, 21})), 0.44999999999999996,
              kTolerance);
  // Nothing in common: 1 2 3 4 4 4 against 4 4 4 1 2 3.
  EXPECT_NEAR(*RankTau(List({1, 2, 3}), List({4, 5, 6})), -0.7500000000000001, kTolerance);
  EXPECT_EQ(RankTau(List({1}), List({1})), std::nullopt);
  EXPECT_EQ(RankTau({}, {}), std::nullopt);
}

TEST(LevenshteinDistance, CountedByHand) {
  EXPECT_EQ(LevenshteinDistance(List({1, 2, 3}), List({1, 2, 3})), 0);
  EXPECT_EQ(LevenshteinDistance(List({1, 2, 3}), List({1, 9, 3})), 1);
  EXPECT_EQ(LevenshteinDistance(List({1, 2, 3, 4, 5}), List({2, 1, 3, 4, 5})), 2);
  EXPECT_EQ(LevenshteinDistance(List({1, 2, 3, 4, 5}), List({2, 3, 4, 5, 6})), 2);  // shifted
  EXPECT_EQ(LevenshteinDistance(List({1, 2, 3}), List({4, 5, 6})), 3);
  EXPECT_EQ(LevenshteinDistance(List({11, 9, 20, 20, 5, 14}), List({19, 9, 20, 20, 9, 14, 7})), 3);
  EXPECT_EQ(LevenshteinDistance(List({1, 2, 3}), List({1, 3})), 1);  // one deleted within
  EXPECT_EQ(LevenshteinDistance(List({1}), List({})), 1);
  EXPECT_EQ(LevenshteinDistance({}, {}), 0);
}

TEST(Top1Differs, FirstLabelOnly) {
  EXPECT_FALSE(Top1Differs(List({1, 2}), List({1, 3})));
  EXPECT_TRUE(Top1Differs(List({1, 2}), List({2, 1})));
  EXPECT_TRUE(Top1Differs(List({1}), {}));
  EXPECT_FALSE(Top1Differs({}, {}));
}

using Values = std::vector<double>;

TEST(ErrorAgainstFloor, CountsFloors) {
  EXPECT_EQ(ErrorAgainstFloor(0.5, 0.25), 2);
  EXPECT_EQ(ErrorAgainstFloor(0, 0), 0);
  EXPECT_EQ(ErrorAgainstFloor(1e-9, 0), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*ErrorAgainstFloor(NAN, 0)));
  EXPECT_TRUE(std::isnan(*ErrorAgainstFloor(NAN, 1)));
  EXPECT_EQ(ErrorAgainstFloor(1, std::numeric_limits<double>::infinity()), std::nullopt);
}

TEST(WholeOutputs, AsScipy) {
  Values a = {1, 2, 3}, b = {2, 2, 1};
  EXPECT_NEAR(*L2Distance(a, b), 2.23606797749979, kTolerance);
  EXPECT_EQ(*MaxError(a, b), 2);
  EXPECT_NEAR(*CosineDistance(a, b), 0.1982162742627268, kTolerance);
  EXPECT_NEAR(*SoftmaxKl(a, b), 0.694840177993134, kTolerance);
  EXPECT_NEAR(*DMad(a, b, 0), 0.22336442353991356, kTolerance);
  a = {0.5, -1, 700, 3};  // exp(700) is near the largest double
  b = {0.25, 4, 690, 3};
  EXPECT_NEAR(*L2Distance(a, b), 11.18313462317252, kTolerance);
  EXPECT_NEAR(*CosineDistance(a, b), 2.6167955309630564e-05, kTolerance);
  EXPECT_NEAR(*SoftmaxKl(a, b), 0, kTolerance);
  EXPECT_NEAR(*DMad(a, b, 2), 0.9999735829285634, 1e-9);
  EXPECT_EQ(DMad({}, {}, 0), std::nullopt);
}

TEST(WholeOutputs, OneElementAndNone) {
  Values five = {5}, three = {3}, zero = {0};
  EXPECT_EQ(L2Distance(five, three), 2);
  EXPECT_EQ(MaxError(five, three), 2);
  EXPECT_NEAR(*CosineDistance(five, three), 0, kTolerance);
  EXPECT_EQ(SoftmaxKl(five, three), 0);
  EXPECT_EQ(DMad(five, three, 0), 0);  // both are certain of the one class
  EXPECT_EQ(CosineDistance(five, zero), std::nullopt);
  EXPECT_EQ(DMad(five, three, 1), std::nullopt);
  EXPECT_EQ(DMad(five, three, -1), std::nullopt);
  EXPECT_EQ(L2Distance({}, {}), std::nullopt);
  EXPECT_EQ(MaxError({}, {}), std::nullopt);
  EXPECT_EQ(CosineDistance({}, {}), std::nullopt);
  EXPECT_EQ(SoftmaxKl({}, {}), std::nullopt);
  EXPECT_TRUE(Softmax({}).empty());
}

TEST(WholeOutputs, NanIsNeverTheSmallerError) {
  Values a = {1, std::nan(""), 3}, b = {1, 2, 9};
  EXPECT_TRUE(std::isnan(*MaxError(a, b)));
}

TEST(WholeOutput, OnlyOfAListWithEveryClass) {
  EXPECT_EQ(WholeOutput({{2, 9}, {0, 5}, {1, 4}}, 3), (Values{5, 4, 9}));
  EXPECT_EQ(WholeOutput({{2, 9}, {0, 5}}, 3), std::nullopt);
  EXPECT_EQ(WholeOutput({{7, 9}, {0, 5}}, 2), std::nullopt);
  EXPECT_EQ(WholeOutput({{1, 9}, {1, 5}}, 2), std::nullopt);
  EXPECT_EQ(WholeOutput({}, 0), std::nullopt);
}

TEST(Times, TestsAndEffectsAsScipy) {
  Values a = {0.1, 0.2, 0.15, 0.12}, b = {0.3, 0.31, 0.29}, c = {1, 2, 3, 4.5}, d = {2, 3, 4};
  EXPECT_NEAR(WelchTTest(a, b)->statistic, -6.999999999999998, 1e-10);
  EXPECT_NEAR(WelchTTest(a, b)->p_value, 0.0038812776745795817, 1e-12);
  EXPECT_NEAR(WelchTTest(c, d)->p_value, 0.7075414986906584, 1e-12);
  EXPECT_NEAR(*CohenD(a, b), -4.594747232183677, 1e-10);
  EXPECT_NEAR(*CohenD(c, d), -0.2844912156790806, 1e-10);
  EXPECT_NEAR(*EtaSquared({a, b, c}), 0.6898568096001131, 1e-12);
  auto summary = SummariseTimes({3, 1, 2, 10});
  EXPECT_EQ(summary->mean, 4);
  EXPECT_EQ(summary->median, 2.5);
  EXPECT_NEAR(*summary->deviation, 4.08248290463863, kTolerance);
}

TEST(Times, TiesOneElementAndNone) {
  Values one = {0.1}, equal = {0.1, 0.1, 0.1}, two = {0.1, 0.2}, none;
  EXPECT_FALSE(WelchTTest(one, two));
  EXPECT_FALSE(WelchTTest(none, two));
  EXPECT_FALSE(WelchTTest(equal, equal));
  EXPECT_TRUE(WelchTTest(equal, two));
  EXPECT_FALSE(CohenD(equal, equal));
  EXPECT_FALSE(SummariseTimes({}));
  EXPECT_FALSE(SummariseTimes({1})->deviation);
  EXPECT_EQ(SummariseTimes({2, 1, 9})->median, 2);
  EXPECT_FALSE(EtaSquared({}));
  EXPECT_FALSE(EtaSquared({{1, 1}, {1}}));
  EXPECT_EQ(EtaSquared({{1, 1}, {2, 2}}), 1);
}

TEST(Times, HolmCountsEachTestAmongTheOthers) {
  using P = std::vector<std::optional<double>>;
  // By hand: 3 x 0.01, 2 x 0.02, 1 x 0.03 raised to the one before.
  P adjusted = HolmAdjusted({0.03, std::nullopt, 0.01, 0.02});
  EXPECT_NEAR(*adjusted[0], 0.04, kTolerance);
  EXPECT_FALSE(adjusted[1]);
  EXPECT_NEAR(*adjusted[2], 0.03, kTolerance);
  EXPECT_NEAR(*adjusted[3], 0.04, kTolerance);
  EXPECT_EQ(HolmAdjusted({0.6, 0.9}), (P{1, 1}));
  EXPECT_TRUE(HolmAdjusted({}).empty());
}

TEST(OneWayAnova, AsScipy) {
  auto anova = OneWayAnova({{1, 2, 3}, {2, 3, 4.5}});
  ASSERT_TRUE(anova);
  EXPECT_NEAR(anova->statistic, 1.5806451612903227, 1e-10);
  EXPECT_NEAR(anova->p_value, 0.277069167347592, 1e-10);
  anova = OneWayAnova({{0.1, 0.2, 0.15, 0.12}, {0.3, 0.31, 0.29}});
  EXPECT_NEAR(anova->statistic, 36.19148936170209, 1e-9);
  EXPECT_NEAR(anova->p_value, 0.001824347328072345, 1e-10);
  anova = OneWayAnova({{1}, {2, 3}});
  EXPECT_NEAR(anova->statistic, 3, 1e-10);
  EXPECT_NEAR(anova->p_value, 0.33333333333333337, 1e-10);
  anova = OneWayAnova({{1, 1}, {2, 2}});
  EXPECT_TRUE(std::isinf(anova->statistic));
  EXPECT_EQ(anova->p_value, 0);
}

TEST(OneWayAnova, HasNoValueWhereScipySaysNan) {
  EXPECT_FALSE(OneWayAnova({{1, 1}, {1, 1}}));
  EXPECT_FALSE(OneWayAnova({{1}, {2}}));
  EXPECT_FALSE(OneWayAnova({{1, 2}, {}}));
  EXPECT_FALSE(OneWayAnova({{1, 2}}));
  EXPECT_FALSE(OneWayAnova({}));
}

}  // namespace
}  // namespace mutatenn
