// The hand-written campaign of synthetic_campaign.h, judged; every expectation counted by hand, and
// the store's SQL view of verdicts as a second opinion.
#include "analysis/campaign_view.h"

#include <map>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "analysis/compare.h"
#include "analysis/scores.h"
#include "analysis/synthetic_campaign.h"
#include "judge/kill_rule.h"

namespace mutatenn {
namespace {

using Matrix = SyntheticCampaign::Matrix;

const MutantView& Find(const CampaignView& view, const std::string& id) {
  for (const MutantView& mutant : view.models.at(0).mutants) {
    if (mutant.stored.id == id) return mutant;
  }
  ADD_FAILURE() << "no mutant " << id;
  std::abort();
}

const DeviceResult& On(const CampaignView& view, const std::string& id, int device) {
  return Find(view, id).devices.at(static_cast<size_t>(device));
}

CampaignView View(SyntheticCampaign& campaign) {
  auto view = ReadCampaign(campaign.store());
  if (!view.ok()) ADD_FAILURE() << view.error().message;
  return std::move(view).value();
}

TEST(CampaignView, OrdersAreFixed) {
  SyntheticCampaign campaign(Matrix::kEarly);
  CampaignView view = View(campaign);
  ASSERT_EQ(view.devices.size(), 2u);
  EXPECT_EQ(view.devices[0].name, "base");  // the configuration's order, not the store's
  const ModelView& model = view.models.at(0);
  EXPECT_EQ(model.images[0].name, "c.jpg");
  EXPECT_EQ(model.images[3].name, "b.jpg");
  std::vector<std::string> ids;
  for (const MutantView& mutant : model.mutants) ids.push_back(mutant.stored.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"k1", "s1", "x1", "t1", "e1", "p1"}));
  EXPECT_EQ(model.unselected, 1);
  EXPECT_EQ(model.uses[0].op_id, "code.lt_to_le");
  EXPECT_EQ(Find(view, "k1").parameters["value"], 0.5);
}

TEST(CampaignView, JudgesEveryMutantOnEveryDevice) {
  for (Matrix matrix : {Matrix::kEarly, Matrix::kFull}) {
    SyntheticCampaign campaign(matrix);
    CampaignView view = View(campaign);
    EXPECT_EQ(On(view, "k1", 0).judgement.reason, "label 2 -> 7 on a.jpg");
    EXPECT_EQ(On(view, "k1", 1).judgement.reason, "label 1 -> 8 on c.jpg");
    EXPECT_EQ(On(view, "s1", 0).judgement.verdict, Verdict::kSurvived);
    EXPECT_EQ(On(view, "s1", 1).judgement.verdict,
              Verdict::kSurvived);  // against its own device's original
    EXPECT_EQ(On(view, "x1", 0).judgement.verdict, Verdict::kCrashed);
    EXPECT_EQ(On(view, "x1", 0).judgement.reason, "SIGSEGV in step conv3 on c.jpg");
    EXPECT_EQ(On(view, "t1", 0).judgement.verdict, Verdict::kTimeout);
    EXPECT_EQ(On(view, "t1", 1).judgement.verdict, Verdict::kSurvived);
    EXPECT_EQ(On(view, "e1", 0).judgement.verdict, Verdict::kEquivalent);
    EXPECT_EQ(On(view, "e1", 1).judgement.verdict, Verdict::kStillborn);
    EXPECT_EQ(On(view, "p1", 0).judgement.verdict, Verdict::kPending);
    EXPECT_EQ(On(view, "p1", 1).judgement.verdict, Verdict::kPending);
  }
}

TEST(CampaignView, AgreesWithTheSqlViewOfVerdicts) {
  for (Matrix matrix : {Matrix::kEarly, Matrix::kFull}) {
    SyntheticCampaign campaign(matrix);
    CampaignView view = View(campaign);
    std::map<std::pair<std::string, std::string>, std::string> judged, queried;
    for (const MutantView& mutant : view.models[0].mutants) {
      for (size_t d = 0; d < view.devices.size(); ++d) {
        judged[{mutant.stored.id, view.devices[d].name}] =
            VerdictName(mutant.devices[d].judgement.verdict);
      }
    }
    SQLite::Database database(StorePath(campaign.folder()));
    SQLite::Statement query(database, "SELECT mutant, device, verdict FROM verdicts");
    while (query.executeStep()) {
      queried[{query.getColumn(0).getString(), query.getColumn(1).getString()}] =
          query.getColumn(2).getString();
    }
    EXPECT_EQ(judged.size(), 12u);
    EXPECT_EQ(judged, queried);
  }
}

// On base the original has another label on a.jpg from run to run: that image kills k1 alone.
TEST(CampaignView, KilledByUnstableImagesAloneIsUnstable) {
  for (Matrix matrix : {Matrix::kEarly, Matrix::kFull}) {
    SyntheticCampaign campaign(matrix);
    const bool full = matrix == Matrix::kFull;
    ASSERT_TRUE(campaign.store()
                    .PutRepeats({{"Net", "base", "a.jpg", 3, "[2,2,7]", "[0.5]", 0, true},
                                 {"Net", "base", "c.jpg", 3, "[1,8,1]", "[0.5]", 0, true},
                                 {"Net", "base", "d.jpg", 3, "[9,3,9]", "[0.5]", 0, true}})
                    .ok());
    CampaignView view = View(campaign);
    const DeviceResult& killed = On(view, "k1", 0);
    EXPECT_EQ(killed.judgement.verdict, full ? Verdict::kUnstable : Verdict::kPending);
    EXPECT_EQ(killed.outcomes.size(), full ? 4u : 2u);
    for (const Outcome& outcome : killed.outcomes) EXPECT_FALSE(outcome.kills);
    EXPECT_EQ(On(view, "k1", 1).judgement.verdict, Verdict::kKilled);  // host is stable
    EXPECT_EQ(On(view, "x1", 0).judgement.verdict, Verdict::kCrashed);
    const Score score = ScoreOn(view.models[0], 0, AllMutants(view.models[0]));
    EXPECT_EQ(score.valid, 3);
    EXPECT_EQ(score.Count(Verdict::kUnstable), full ? 1 : 0);
    ASSERT_EQ(view.models[0].comparisons.size(), 1u);
    EXPECT_EQ(view.models[0].comparisons[0].mutants_compared, 4);  // s1, x1, t1, e1
    SQLite::Database database(StorePath(campaign.folder()));
    EXPECT_EQ(
        database.execAndGet("SELECT verdict FROM verdicts WHERE mutant = 'k1' AND device = 'base'")
            .getString(),
        full ? "unstable" : "pending");
  }
}

TEST(CampaignView, WhatNeedsAllImagesIsUnknownUnderEarly) {
  SyntheticCampaign campaign(Matrix::kEarly);
  CampaignView view = View(campaign);
  const DeviceResult& killed = On(view, "k1", 0);
  EXPECT_EQ(killed.judgement.images_compared, 2);
  EXPECT_FALSE(killed.complete);
  EXPECT_EQ(killed.images_differing, std::nullopt);
  EXPECT_EQ(killed.images_correct, std::nullopt);
  EXPECT_EQ(killed.degenerate, false);               // four images can never be degenerate
  EXPECT_EQ(killed.first_diverging_layer, "conv2");  // of the killing image
  EXPECT_NEAR(*killed.seconds, 0.04, 1e-12);
  const DeviceResult& survived = On(view, "s1", 0);  // every image was run: known
  EXPECT_EQ(survived.images_differing, 0);
  EXPECT_EQ(survived.images_correct, 2);  // c and a right, d wrong, b not known
  EXPECT_EQ(survived.first_diverging_layer, std::nullopt);
  const DeviceResult& equivalent = On(view, "e1", 0);  // never run
  EXPECT_EQ(equivalent.degenerate, std::nullopt);
  EXPECT_EQ(equivalent.nonfinite, std::nullopt);
  EXPECT_EQ(equivalent.seconds, std::nullopt);
  EXPECT_EQ(equivalent.images_differing, std::nullopt);
  EXPECT_EQ(On(view, "t1", 0).nonfinite, true);
  EXPECT_EQ(On(view, "t1", 1).nonfinite, false);
  EXPECT_EQ(On(view, "x1", 0).out_of_bounds, (OutOfBounds{"conv3", "input 0", -64}));
}

TEST(CampaignView, FullMatrixKnowsAll) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = View(campaign);
  const DeviceResult& killed = On(view, "k1", 0);
  EXPECT_EQ(killed.judgement.images_compared, 4);
  EXPECT_EQ(killed.images_differing, 2);  // a: 2 -> 7, d: 9 -> 3
  EXPECT_EQ(killed.images_correct, 2);    // c: 1, d: 3
  EXPECT_EQ(killed.first_diverging_layer, "conv2");
  const DeviceResult& timeout = On(view, "t1", 0);
  EXPECT_TRUE(timeout.complete);
  EXPECT_EQ(timeout.judgement.images_compared, 3);
  EXPECT_EQ(timeout.images_differing, 0);
  EXPECT_EQ(On(view, "x1", 0).images_differing, std::nullopt);  // crashed at once, the rest not run
}

TEST(CampaignView, EarlyLooksTheSameHoweverMuchRanBeyondTheKill) {
  SyntheticCampaign early(Matrix::kEarly), full(Matrix::kFull);
  ASSERT_TRUE(full.store().SetMeta("matrix", "early").ok());
  CampaignView a = View(early), b = View(full);
  EXPECT_EQ(On(b, "k1", 0).outcomes.size(), On(a, "k1", 0).outcomes.size());
  EXPECT_EQ(On(b, "k1", 1).outcomes.size(), 1u);
  EXPECT_EQ(On(b, "k1", 0).images_differing, std::nullopt);
  EXPECT_EQ(On(b, "t1", 0).judgement.images_compared, On(a, "t1", 0).judgement.images_compared);
}

TEST(CampaignView, DamagedRowsAreNamed) {
  SyntheticCampaign campaign(Matrix::kEarly);
  StoredFate fate{"Net", "s1", "base", "a.jpg", "ok", "[[1"};
  ASSERT_TRUE(campaign.store().PutFates({fate}, std::nullopt).ok());
  auto view = ReadCampaign(campaign.store());
  ASSERT_FALSE(view.ok());
  EXPECT_EQ(view.error().code, Code::kInvalidInput);
  EXPECT_NE(view.error().message.find("mutant s1 on a.jpg, device base"), std::string::npos);
  EXPECT_EQ(view.error().message.find('\n'), std::string::npos);
}

TEST(CampaignView, JudgesAgainByAnotherRule) {
  SyntheticCampaign campaign(Matrix::kFull);
  auto rule = [](const char* text) { return ReadOptions{.rule = ParseKillRule(text).value()}; };
  CampaignView view = ReadCampaign(campaign.store(), rule("accept:max_label_changes=2")).value();
  EXPECT_EQ(On(view, "k1", 0).judgement.verdict, Verdict::kSurvived);  // two labels changed
  EXPECT_EQ(On(view, "k1", 0).top1, Verdict::kKilled);
  EXPECT_EQ(On(view, "x1", 0).judgement.verdict, Verdict::kCrashed);
  view = ReadCampaign(campaign.store(), rule("accept:max_accuracy_drop=0")).value();
  EXPECT_EQ(On(view, "k1", 0).judgement.verdict, Verdict::kSurvived);  // c right, a lost, d won
  EXPECT_EQ(On(view, "k1", 1).judgement.reason, "accuracy 2/3 -> 1/3, a drop of 0 accepted");
  // The lists hold two labels: label and label + 100.
  view = ReadCampaign(campaign.store(), rule("topk:2")).value();
  EXPECT_EQ(On(view, "k1", 0).judgement.reason, "label 2 not among the best 2 on a.jpg");
  EXPECT_FALSE(ReadCampaign(campaign.store(), rule("topk:3")).ok());
}

TEST(CampaignView, JudgesByTheDevicesOwnNoise) {
  SyntheticCampaign campaign(Matrix::kFull);
  auto rule = [](const char* text) { return ReadOptions{.rule = ParseKillRule(text).value()}; };
  // On host runs of the original are up to 0.25 apart: differences of up to 1 say nothing there.
  for (double difference : {0.99, 1.01}) {
    StoredFate fate{"Net", "s1", "host", "a.jpg", "ok", SyntheticCampaign::Top(2)};
    fate.max_abs_diff = difference;
    ASSERT_TRUE(campaign.store().PutFates({fate}, std::nullopt).ok());
    CampaignView view = ReadCampaign(campaign.store(), rule("noise")).value();
    EXPECT_EQ(On(view, "s1", 1).judgement.verdict,
              difference > 1 ? Verdict::kKilled : Verdict::kSurvived);
    EXPECT_EQ(On(view, "s1", 0).judgement.verdict, Verdict::kSurvived);
    EXPECT_EQ(On(view, "k1", 1).judgement.verdict, Verdict::kSurvived);  // another label only
  }
  // k1 on base: 2 of 4 runs against 0 of 8, p = 1/11.
  EXPECT_EQ(
      On(ReadCampaign(campaign.store(), rule("fisher:0.1")).value(), "k1", 0).judgement.reason,
      "another label on 2 of 4 runs, the original's on 0 of 8, p = 0.0909");
  EXPECT_EQ(On(ReadCampaign(campaign.store(), rule("fisher")).value(), "k1", 0).judgement.verdict,
            Verdict::kSurvived);
  // Run again, on a.jpg (the original says 2) and d.jpg (9), and dead once: 5 of 7 against 0 of 8.
  ASSERT_TRUE(campaign.store()
                  .PutMutantRuns({{"Net", "k1", "base", "a.jpg", 2, "ok", 7},
                                  {"Net", "k1", "base", "a.jpg", 3, "crashed", -1},
                                  {"Net", "k1", "base", "d.jpg", 2, "ok", 3},
                                  {"Net", "s1", "base", "a.jpg", 2, "ok", 2}})
                  .ok());
  CampaignView again = ReadCampaign(campaign.store(), rule("fisher")).value();
  EXPECT_EQ(On(again, "k1", 0).judgement.verdict, Verdict::kKilled);
  EXPECT_EQ(On(again, "k1", 0).judgement.reason,
            "another label on 5 of 7 runs, the original's on 0 of 8, p = 0.00699");
  EXPECT_EQ(On(again, "s1", 0).judgement.verdict, Verdict::kSurvived);
  // NaN from run to run: nothing that differs means something.
  ASSERT_TRUE(campaign.store()
                  .PutRepeats({{"Net", "host", "b.jpg", 3, "[5,5,5]", "[null, 0.5]", 0, true}})
                  .ok());
  EXPECT_EQ(On(ReadCampaign(campaign.store(), rule("noise")).value(), "s1", 1).judgement.verdict,
            Verdict::kSurvived);
  ASSERT_TRUE(campaign.store()
                  .PutRepeats({{"Net", "base", "a.jpg", 1, "[2]", "[0]", 0, true},
                               {"Net", "base", "b.jpg", 1, "[4]", "[0]", 0, true},
                               {"Net", "base", "c.jpg", 1, "[1]", "[0]", 0, true},
                               {"Net", "base", "d.jpg", 1, "[9]", "[0]", 0, true}})
                  .ok());
  EXPECT_FALSE(ReadCampaign(campaign.store(), rule("noise")).ok());
}

TEST(CampaignView, CommandsComeFromTheUserAndSeeWholeOutputs) {
  SyntheticCampaign campaign(Matrix::kFull);
  ReadOptions options{.rule = ParseKillRule("accept:command=false").value()};
  EXPECT_FALSE(ReadCampaign(campaign.store(), options).ok());  // two labels of many were kept
  ASSERT_TRUE(campaign.store().SetMeta("kill", "accept:command=false").ok());
  auto view = ReadCampaign(campaign.store());
  ASSERT_FALSE(view.ok());
  EXPECT_NE(view.error().message.find("give the rule with --kill"), std::string::npos);
}

TEST(Scores, CountedByHand) {
  SyntheticCampaign campaign(Matrix::kEarly);
  CampaignView view = View(campaign);
  const ModelView& model = view.models[0];
  MutantSet all = AllMutants(model);
  Score base = ScoreOn(model, 0, all);  // k1 killed, s1 survived, x1 crashed, t1 timeout | e1, p1
  EXPECT_EQ(base.valid, 4);
  EXPECT_EQ(base.detected, 3);
  EXPECT_EQ(base.Total(), 6);
  EXPECT_EQ(base.Value(), 0.75);
  Score host = ScoreOn(model, 1, all);  // k1 killed, s1 and t1 survived, x1 crashed
  EXPECT_EQ(host.valid, 4);
  EXPECT_EQ(host.Value(), 0.5);
  Score overall = OverallScore(model, all);  // t1 is detected on one device, so detected
  EXPECT_EQ(overall.valid, 4);
  EXPECT_EQ(overall.Value(), 0.75);
  EXPECT_EQ(overall.Count(Verdict::kPending), 1);
  EXPECT_EQ(OverallScore(model, ByOperator(model)[1].mutants).valid, 1);
  EXPECT_EQ(ScoreOn(model, 0, ByOperator(model)[0].mutants).Count(Verdict::kCrashed), 1);
  EXPECT_EQ(Score{}.Value(), std::nullopt);
}

TEST(CompareDevices, CountedByHand) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = View(campaign);
  const auto& comparisons = view.models[0].comparisons;
  ASSERT_EQ(comparisons.size(), 1u);
  const DeviceComparison& c = comparisons[0];
  EXPECT_EQ(c.originals_compared, 4);
  EXPECT_EQ(c.originals_differing, 1);  // b
  EXPECT_EQ(c.mutants_compared, 5);     // all but p1
  EXPECT_EQ(c.verdicts_differ, (std::vector<std::string>{"t1", "e1"}));
  // k1: 4 runs (c 1/8, a 7/2, d 3/9, b 4/5), s1: 4 (b 4/5), t1: 3 without d (b 4/5)
  EXPECT_EQ(c.runs_compared, 11);
  EXPECT_EQ(c.runs_differing, 6);
  EXPECT_EQ(c.labels_differ, (std::vector<std::string>{"k1", "s1", "t1"}));
  // Lists of two labels are equal or disjoint: distance 0 or 2. Ranks 1 2 3 3 against 3 3 1 2 of
  // disjoint lists: 4 pairs discordant, 5 untied on either side, so tau-b = -4 / 5.
  EXPECT_NEAR(*c.mean_levenshtein, 6 * 2 / 11.0, 1e-12);
  EXPECT_NEAR(*c.mean_rank_tau, (5 * 1.0 + 6 * (-4.0 / 5)) / 11, 1e-12);
}

TEST(CompareDevices, OnlyImagesThatBothRan) {
  SyntheticCampaign campaign(Matrix::kEarly);
  CampaignView view = View(campaign);
  const auto& comparisons = view.models[0].comparisons;
  EXPECT_EQ(comparisons.at(0).runs_compared, 1 + 4 + 2);  // k1: c; s1: all; t1: c, a
}

}  // namespace
}  // namespace mutatenn
