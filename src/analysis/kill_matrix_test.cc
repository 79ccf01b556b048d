// Kill matrices small enough to try every subset of their images.
#include "analysis/kill_matrix.h"

#include <algorithm>
#include <bit>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "analysis/devices.h"
#include "analysis/scores.h"
#include "analysis/synthetic_campaign.h"

namespace mutatenn {
namespace {

using Kills = std::vector<std::vector<int>>;

unsigned Mask(const std::vector<int>& images) {
  unsigned mask = 0;
  for (int image : images) mask |= 1u << image;
  return mask;
}

Kills RandomKills(std::mt19937& random, int images, int mutants) {
  Kills kills(static_cast<size_t>(mutants));
  for (auto& row : kills) {
    unsigned density = random() % 10;
    for (int image = 0; image < images; ++image) {
      if (random() % 12 < density) row.push_back(image);
    }
    if (random() % 4 == 0) row.clear();
  }
  return kills;
}

TEST(KillMatrix, AgreesWithEverySubset) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    int images = 1 + static_cast<int>(random() % 9), mutants = 1 + static_cast<int>(random() % 12);
    Kills kills = RandomKills(random, images, mutants);
    KillMatrix matrix(images, kills);
    auto killed_by = [&](unsigned subset) {
      return std::count_if(kills.begin(), kills.end(),
                           [&](const auto& row) { return (Mask(row) & subset) != 0; });
    };
    unsigned all = (1u << images) - 1;
    EXPECT_EQ(matrix.killed(), killed_by(all));
    int smallest = images;
    std::vector<double> sums(static_cast<size_t>(images) + 1), counts(sums.size());
    for (unsigned subset = 0; subset <= all; ++subset) {
      int size = std::popcount(subset);
      sums[static_cast<size_t>(size)] += static_cast<double>(killed_by(subset)) / mutants;
      ++counts[static_cast<size_t>(size)];
      if (killed_by(subset) == killed_by(all)) smallest = std::min(smallest, size);
    }
    EXPECT_EQ(SmallestImageSet(matrix), smallest);
    std::vector<int> greedy = GreedyImages(matrix);
    EXPECT_EQ(killed_by(Mask(greedy)), killed_by(all));
    EXPECT_GE(static_cast<int>(greedy.size()), smallest);
    std::vector<double> expected = ExpectedScore(matrix);
    ASSERT_EQ(expected.size(), sums.size());
    for (size_t m = 0; m < sums.size(); ++m) EXPECT_NEAR(expected[m], sums[m] / counts[m], 1e-12);
    for (int image : IdleImages(matrix)) EXPECT_EQ(killed_by(1u << image), 0);
    // What kills every dominator kills all; and no dominator can be left out.
    std::vector<size_t> dominators = DominatorRows(matrix);
    for (unsigned subset = 0; subset <= all; ++subset) {
      bool hits = std::all_of(dominators.begin(), dominators.end(),
                              [&](size_t row) { return (Mask(kills[row]) & subset) != 0; });
      EXPECT_EQ(hits, killed_by(subset) == killed_by(all));
    }
    for (size_t out : dominators) {
      unsigned escape = all & ~Mask(kills[out]);  // the largest set that does not kill it
      for (size_t other : dominators) {
        if (other == out) continue;
        EXPECT_NE(Mask(kills[other]) & escape, 0u);
      }
    }
  }
}

TEST(KillMatrix, CountedByHand) {
  // Images 0..9: a trivial mutant, two equal ones, one that a single image kills, one survivor.
  Kills kills = {{0, 1, 2, 3, 4, 5, 6, 7, 8}, {2, 3}, {2, 3}, {5}, {}};
  KillMatrix matrix(10, kills);
  EXPECT_EQ(TrivialRows(matrix), (std::vector<size_t>{0}));
  EXPECT_EQ(UniqueRows(matrix), (std::vector<size_t>{3}));
  EXPECT_EQ(DistinctKillSets(matrix), 3);
  EXPECT_EQ(DominatorRows(matrix), (std::vector<size_t>{1, 3}));
  EXPECT_EQ(GreedyImages(matrix), (std::vector<int>{2, 5}));
  EXPECT_EQ(SmallestImageSet(matrix), 2);
  EXPECT_EQ(IdleImages(matrix), (std::vector<int>{9}));
  EXPECT_NEAR(ExpectedScore(matrix)[1], (9 + 2 + 2 + 1 + 0) / 10.0 / 5, 1e-12);
}

TEST(KillMatrix, GreedyMayBeLargerAndNothingIsNoScore) {
  // The textbook case: greedy takes the middle of 4, then both sides.
  KillMatrix matrix(3, {{0, 2}, {0, 2}, {0}, {1, 2}, {1, 2}, {1}});
  EXPECT_EQ(GreedyImages(matrix), (std::vector<int>{2, 0, 1}));
  EXPECT_EQ(SmallestImageSet(matrix), 2);
  KillMatrix empty(3, {});
  EXPECT_TRUE(ExpectedScore(empty).empty());
  EXPECT_EQ(SmallestImageSet(empty), 0);
  EXPECT_EQ(SmallestImageSet(matrix, 1), std::nullopt);  // not found in one step: not known
}

TEST(KillMatrix, ManyImages) {
  Kills kills;
  for (int i = 0; i < 200; ++i) kills.push_back({i, (i * 7 + 3) % 200});
  KillMatrix matrix(200, kills);
  EXPECT_EQ(matrix.killed(), 200);
  EXPECT_TRUE(IdleImages(matrix).empty());
  EXPECT_NEAR(ExpectedScore(matrix)[200], 1, 1e-12);
}

using Matrix = SyntheticCampaign::Matrix;

TEST(KillMatrix, OfACampaign) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = ReadCampaign(campaign.store()).value();
  KillMatrix matrix(view.models[0], 0);  // k1, s1, t1 ran on all images; x1 crashed on the first
  ASSERT_EQ(matrix.rows().size(), 3u);
  EXPECT_EQ(matrix.left_out(), 1);
  EXPECT_EQ(matrix.rows()[0].kills, 2);  // k1: a, d
  EXPECT_EQ(IdleImages(matrix), (std::vector<int>{0, 3}));
  EXPECT_EQ(GreedyImages(matrix), (std::vector<int>{2}));  // d, where t1 times out too
  auto survivors = NearSurvivors(view.models[0], 0);
  ASSERT_EQ(survivors.size(), 1u);
  EXPECT_EQ(view.models[0].mutants[survivors[0].mutant].stored.id, "s1");
  EXPECT_EQ(survivors[0].margin, 1);
  EXPECT_EQ(survivors[0].infected, 0);
}

TEST(Spread, OverTheImagesThatAllDevicesRan) {
  for (Matrix kind : {Matrix::kFull, Matrix::kEarly}) {
    SyntheticCampaign campaign(kind);
    CampaignView view = ReadCampaign(campaign.store()).value();
    const ModelView& model = view.models[0];
    auto spread = [&](size_t mutant) { return SpreadOf(model.mutants[mutant]); };
    bool full = kind == Matrix::kFull;
    // k1: base kills on a and d, host on c. Early: only c ran on both.
    EXPECT_EQ(spread(0).kind, full ? Spread::Kind::kEverywhere : Spread::Kind::kSome);
    EXPECT_EQ(spread(0).images, full ? 4 : 1);
    EXPECT_EQ(spread(0).disagreeing, full ? 4 : 1);
    EXPECT_EQ(spread(1).kind, Spread::Kind::kNowhere);
    EXPECT_EQ(spread(1).disagreeing, 1);  // b: 4 against 5, as the original
    EXPECT_EQ(spread(2).kind, Spread::Kind::kEverywhere);
    EXPECT_EQ(spread(3).kind, Spread::Kind::kSome);
    EXPECT_EQ(spread(3).killed, (std::vector<int>{0}));
    EXPECT_TRUE(spread(3).verdicts_differ);
    EXPECT_EQ(spread(4).kind, Spread::Kind::kNotCompared);  // equivalent, stillborn
    EXPECT_EQ(spread(5).kind, Spread::Kind::kNotCompared);  // pending
    std::vector<std::string> ranked;
    for (const Disagreement& d : Disagreements(SpreadsOf(model)))
      ranked.push_back(model.mutants[d.mutant].stored.id);
    // Verdicts first: t1 with labels, e1 without; then by share of images.
    EXPECT_EQ(ranked, (std::vector<std::string>{"t1", "e1", "k1", "s1"}));
  }
}

TEST(Scores, GroupsAndClasses) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = ReadCampaign(campaign.store()).value();
  const ModelView& model = view.models[0];
  std::vector<std::string> names;
  for (const auto& groups :
       {ByOperator(model), ByCategory(model), ByKernel(model), ByLayer(model)}) {
    for (const Group& group : groups)
      names.push_back(group.name + ":" + std::to_string(group.mutants.size()));
  }
  // No mutant has a scope of its own, so none is a layer's.
  EXPECT_EQ(names, (std::vector<std::string>{"code.lt_to_le:3", "graph.arithmetic:3", "AN:3",
                                             "CSO:3", "conv2d K:6"}));
  // Truths 1 (c), 2 (a), 3 (d) on base: k1 by a and d, t1 by d.
  auto classes = ByClass(model, 0);
  ASSERT_EQ(classes.size(), 3u);
  EXPECT_EQ(classes[0].score.valid, 3);
  EXPECT_EQ(classes[0].score.detected, 0);
  EXPECT_EQ(classes[1].score.detected, 1);
  EXPECT_EQ(classes[2].score.detected, 2);
  ScoreWithIntervals all = ScoreOf(model, 0, AllMutants(model));
  EXPECT_EQ(all.mutants, WilsonInterval(0.75, 4));
  // 3 of 4 graph mutants were drawn, of which one is valid (and detected); the code mutants all.
  ASSERT_TRUE(all.population);
  EXPECT_NEAR(all.population->score, (2 + 4.0 / 3) / (3 + 4.0 / 3), 1e-12);
  EXPECT_FALSE(ScoreOf(model, 0, ByOperator(model)[0].mutants).population.has_value());
  std::optional<Interval> images = OverImages(view, model, 0, AllMutants(model));
  ASSERT_TRUE(images);
  EXPECT_EQ(images->high, 0.75);  // more images than there are cannot be drawn
}

TEST(Scores, MarkedSurvivorsAreInNoScore) {
  SyntheticCampaign campaign(Matrix::kFull);
  ReadOptions options;
  options.marks = {{"s1", Mark::Kind::kEquivalent, "padding is never read"},
                   {"k1", Mark::Kind::kAccepted, "wrong"}};
  CampaignView view = ReadCampaign(campaign.store(), options).value();
  const ModelView& model = view.models[0];
  Score score = OverallScore(model, AllMutants(model));
  EXPECT_EQ(score.marked, 1);
  EXPECT_EQ(score.valid, 3);
  EXPECT_EQ(score.detected, 3);  // k1 is killed whatever was said of it
  EXPECT_EQ(score.Total(), 6);
}

}  // namespace
}  // namespace mutatenn
