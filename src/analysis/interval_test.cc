// Intervals against numbers of scipy 1.17.1 (binomtest(...).proportion_ci("wilson")) and numpy, and
// against a population whose samples can all be listed.
#include "analysis/interval.h"

#include <initializer_list>
#include <random>

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

constexpr double kTolerance = 1e-12;

TEST(WilsonInterval, AsScipy) {
  struct Case {
    int detected, valid;
    double low, high;
  };
  for (const Case& c : std::initializer_list<Case>{
           {3, 4, 0.30064184258240184, 0.9544127391902995},
           {0, 1, 0, 0.7934506856227626},
           {1, 1, 0.20654931437723745, 1},
           {0, 30, 0, 0.11351339317396875},
           {57, 100, 0.47215389549212305, 0.6626670147588988},
           {9999, 10000, 0.9994337311025987, 0.9999823473263989},
       }) {
    auto interval = WilsonInterval(static_cast<double>(c.detected) / c.valid, c.valid);
    ASSERT_TRUE(interval);
    EXPECT_NEAR(interval->low, c.low, kTolerance) << c.detected << "/" << c.valid;
    EXPECT_NEAR(interval->high, c.high, kTolerance) << c.detected << "/" << c.valid;
  }
  EXPECT_FALSE(WilsonInterval(0, 0));
}

TEST(StratifiedScore, AsTheFormulaInNumpy) {
  auto score = StratifiedScore({{100, 10, 8, 6}, {1000, 20, 20, 5}});
  ASSERT_TRUE(score);
  EXPECT_NEAR(score->score, 0.28703703703703703, kTolerance);
  EXPECT_NEAR(score->interval.low, 0.14487781738858824, kTolerance);
  EXPECT_NEAR(score->interval.high, 0.48893110353558417, kTolerance);
}

TEST(StratifiedScore, EstimatesWithoutBiasWhereAllAreValid) {
  // 6 mutants, 2 detected; all 15 samples of 2: the mean of the estimates is the share.
  const bool detected[] = {true, true, false, false, false, false};
  double sum = 0;
  int samples = 0;
  for (int a = 0; a < 6; ++a) {
    for (int b = a + 1; b < 6; ++b) {
      sum += StratifiedScore({{6, 2, 2, detected[a] + detected[b]}})->score;
      ++samples;
    }
  }
  EXPECT_NEAR(sum / samples, 2.0 / 6, kTolerance);
}

TEST(StratifiedScore, CertainOnesAndNothing) {
  EXPECT_FALSE(StratifiedScore({}));
  EXPECT_FALSE(StratifiedScore({{10, 3, 0, 0}}));
  // All alike: Wilson's of those seen, not a width of 0.
  EXPECT_EQ(StratifiedScore({{10, 3, 3, 3}})->interval, *WilsonInterval(1, 3));
  // Not all are worth the same: of weights 1 and 100, little more than the ten of weight 100.
  EXPECT_EQ(StratifiedScore({{10, 10, 10, 10}, {1000, 10, 10, 10}})->interval,
            *WilsonInterval(1, 1010.0 * 1010 / (10 + 10 * 100 * 100)));
  // A larger share of the population drawn: a narrower interval.
  auto width = [](int64_t population) {
    Interval interval = StratifiedScore({{population, 10, 10, 5}})->interval;
    return interval.high - interval.low;
  };
  EXPECT_LT(width(12), width(1000));
}

// Operators whose mutants nearly all die or nearly all survive, and as many drawn of each as its
// size says: of 2000 samples about 95 % must have the population's score within their interval.
TEST(StratifiedScore, HoldsTheScoreAsOftenAsItSays) {
  struct Population {
    int mutants, drawn, detected;
  };
  const Population populations[] = {
      {1000, 13, 980}, {800, 10, 8}, {2000, 26, 1980}, {500, 7, 485}, {300, 4, 294}};
  double mutants = 0, detected = 0;
  for (const Population& p : populations) mutants += p.mutants, detected += p.detected;
  std::mt19937_64 random(7);
  constexpr int kSamples = 2000;
  int held = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::vector<Stratum> strata;
    for (const Population& p : populations) {
      int hits = 0;
      for (int draw = 0; draw < p.drawn; ++draw)
        hits += static_cast<int>(random() % static_cast<uint64_t>(p.mutants - draw)) <
                p.detected - hits;
      strata.push_back({p.mutants, p.drawn, p.drawn, hits});
    }
    const Interval interval = StratifiedScore(strata)->interval;
    held += interval.low <= detected / mutants && detected / mutants <= interval.high;
  }
  EXPECT_GE(held, kSamples * 94 / 100);
}

TEST(BootstrapInterval, IsFixedAndAboutRight) {
  // The mean of 0 .. 99: normal with standard deviation 28.87 / 10.
  auto mean = [](const std::vector<int>& times) -> std::optional<double> {
    double sum = 0;
    for (size_t i = 0; i < times.size(); ++i) sum += static_cast<double>(i) * times[i];
    return sum / 100;
  };
  auto interval = BootstrapInterval(100, mean, 4000);
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval, BootstrapInterval(100, mean, 4000));
  EXPECT_NEAR(interval->low, 49.5 - 1.96 * 2.887,
              0.4);  // 0.4: four standard errors of a percentile
  EXPECT_NEAR(interval->high, 49.5 + 1.96 * 2.887, 0.4);
  EXPECT_NE(interval, BootstrapInterval(100, mean, 4000, 2));
}

TEST(BootstrapInterval, OfNothing) {
  auto one = [](const std::vector<int>&) { return std::optional(1.0); };
  EXPECT_FALSE(BootstrapInterval(0, one));
  EXPECT_FALSE(BootstrapInterval(1, one));
  EXPECT_FALSE(BootstrapInterval(5, [](const auto&) { return std::optional<double>(); }));
  EXPECT_EQ(BootstrapInterval(5, one), (Interval{1, 1}));
}

}  // namespace
}  // namespace mutatenn
