// Rules that look at the device's own noise, against scipy and tables counted by hand.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "judge/fisher_rule.h"
#include "judge/kill_rule.h"
#include "judge/noise_rule.h"

namespace mutatenn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(FisherExact, AsScipy) {
  // scipy 1.17.1: fisher_exact([[k, n - k], [k0, n0 - k0]], alternative="greater")
  struct Row {
    int killing, runs, original_killing, original_runs;
    double p;
  };
  for (const Row& row :
       {Row{3, 5, 0, 20, 0.004347826086956522}, Row{1, 1, 0, 19, 0.05},
        Row{2, 100, 0, 400, 0.039679358717434866}, Row{5, 10, 10, 40, 0.12490469521621218},
        Row{0, 10, 3, 40, 1}, Row{10, 10, 40, 40, 1}, Row{7, 10, 1, 40, 9.024385678216111e-06},
        Row{1, 1, 3, 4, 0.8}, Row{4, 4, 0, 0, 1}, Row{0, 0, 1, 4, 1}}) {
    EXPECT_NEAR(FisherExact(row.killing, row.runs, row.original_killing, row.original_runs), row.p,
                1e-12)
        << row.killing << " of " << row.runs;
  }
}

TEST(FisherExact, AnotherKillNeverUnkills) {
  for (int runs : {1, 4, 30}) {
    for (int original_killing : {0, 1, 7, 20}) {
      double before = 2;
      for (int killing = 0; killing <= runs; ++killing) {
        const double p = FisherExact(killing, runs, original_killing, 20);
        EXPECT_LE(p, before + 1e-12) << killing << " of " << runs;
        before = p;
      }
    }
  }
}

// Five images on which the original says 7, and the label that the mutant says.
Evidence Runs(const std::vector<int64_t>& labels, Repeats repeats, const std::string& rule) {
  Evidence evidence;
  for (int64_t label : labels) {
    Fate fate;
    fate.image = std::to_string(evidence.fates.size());
    fate.top = {{label, 1}};
    evidence.fates.push_back(fate);
    evidence.originals.push_back({{7, 1}});
    evidence.truths.push_back(-1);
    evidence.repeats.push_back(repeats);
  }
  evidence.images_planned = 5;
  evidence.full_matrix = true;
  evidence.rule = ParseKillRule(rule).value();
  return evidence;
}

TEST(FisherRule, ComparesWithTheOriginalsOwnRuns) {
  const std::vector<int64_t> three = {8, 7, 8, 7, 8};
  Judgement judged = Judge(Runs(three, {4, 0}, "fisher"));
  EXPECT_EQ(judged.verdict, Verdict::kKilled);
  EXPECT_EQ(judged.reason, "another label on 3 of 5 runs, the original's on 0 of 20, p = 0.00435");
  EXPECT_EQ(judged.killing_image, "");  // no image alone
  EXPECT_EQ(Judge(Runs(three, {4, 0}, "fisher:0.004")).verdict, Verdict::kSurvived);
  EXPECT_EQ(Judge(Runs(three, {4, 2}, "fisher")).verdict, Verdict::kSurvived);  // a noisy original
  EXPECT_EQ(Judge(Runs({8, 8, 8}, {4, 0}, "fisher")).verdict, Verdict::kPending);  // of five images
  // Run three times each: two of five images keep their label in all of them.
  Evidence again = Runs(three, {4, 0}, "fisher:0.001");
  EXPECT_EQ(Judge(again).verdict, Verdict::kSurvived);
  again.again = {{2, 2}, {2, 0}, {2, 2}, {2, 0}, {2, 1}};
  judged = Judge(again);
  EXPECT_EQ(judged.verdict, Verdict::kKilled);
  // scipy 1.17.1: fisher_exact([[8, 7], [0, 20]], alternative="greater")
  EXPECT_EQ(judged.reason,
            "another label on 8 of 15 runs, the original's on 0 of 20, p = 0.000273");
  judged = Judge(Runs(three, {}, "fisher"));
  EXPECT_EQ(judged.verdict, Verdict::kPending);
  EXPECT_EQ(judged.reason, "the original was run once only (`repeats`)");
}

TEST(NoiseRule, LimitIsTheLargerOfSpreadAndFloor) {
  EXPECT_EQ(NoiseLimit(0.25, 0.5), 1);
  EXPECT_EQ(NoiseLimit(0.25, 1.5), 1.5);
  EXPECT_EQ(NoiseLimit(0, 0), 0);
  EXPECT_EQ(NoiseLimit(NAN, 1), kInfinity);
}

TEST(NoiseRule, KillsBeyondTheLimitOnly) {
  KillRule rule = ParseKillRule("noise").value();
  EXPECT_EQ(KillRuleText(rule), "noise");
  rule.tolerance = 1;
  Fate fate;
  fate.top = {{8, 3}};
  fate.max_abs_diff = 1;
  const std::vector<Ranked> original = {{7, 3}};
  EXPECT_FALSE(KillsImage(rule, original, fate));  // another label, within the noise
  fate.max_abs_diff = 1.01;
  EXPECT_TRUE(KillsImage(rule, original, fate));
  fate.max_abs_diff = 0;
  fate.nonfinite = true;
  EXPECT_TRUE(KillsImage(rule, original, fate));
  rule.tolerance = kInfinity;  // the original itself is not always finite
  EXPECT_FALSE(KillsImage(rule, original, fate));
}

TEST(CommandRule, DecidesOnceAllIsThere) {
  Evidence evidence = Runs({7, 7, 7, 7, 7}, {}, "accept:command=check --limit 1,2");
  EXPECT_EQ(evidence.rule.command, "check --limit 1,2");
  EXPECT_EQ(KillRuleText(evidence.rule), "accept:command=check --limit 1,2");
  EXPECT_FALSE(ParseKillRule("accept:command=").ok());
  evidence.ask = [](const Evidence&) { return LimitCheck{true, "not accepted: worse"}; };
  EXPECT_EQ(Judge(evidence).reason, "not accepted: worse");
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kKilled);
  evidence.ask = [](const Evidence&) { return LimitCheck{std::nullopt, "it broke"}; };
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kPending);
  EXPECT_EQ(Judge(evidence).reason, "it broke");
  evidence.ask = [](const Evidence&) { return LimitCheck{false, ""}; };
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kSurvived);
  evidence.images_planned = 6;
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kPending);
}

}  // namespace
}  // namespace mutatenn
