// The rules of judging on lists and fates small enough to be judged by hand.
#include "judge/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "judge/kill_rule.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<int64_t> Labels(const std::vector<Ranked>& top) {
  std::vector<int64_t> labels;
  for (const Ranked& entry : top) labels.push_back(entry.label);
  return labels;
}

std::vector<Ranked> Top(int64_t label) { return {{label, 1.0}, {label + 1, 0.5}}; }

Fate Ok(const std::string& image, int64_t label) {
  Fate fate;
  fate.image = image;
  fate.top = Top(label);
  return fate;
}

Fate Ended(const std::string& image, Ending ending, const std::string& detail) {
  Fate fate;
  fate.image = image;
  fate.ending = ending;
  fate.detail = detail;
  return fate;
}

// Fates against an original that says label 7 on every image.
Evidence Against7(std::vector<Fate> fates, int planned) {
  Evidence evidence;
  evidence.originals.assign(fates.size(), Top(7));
  evidence.fates = std::move(fates);
  evidence.images_planned = planned;
  return evidence;
}

TEST(TopK, LargerFirstTiesByLowerIndexNanLast) {
  const float scores[] = {kNaN, 2, 5, 5, -kInf, kInf, kNaN};
  EXPECT_EQ(Labels(TopK(scores, 7, 7)), (std::vector<int64_t>{5, 2, 3, 1, 4, 0, 6}));
  EXPECT_EQ(Labels(TopK(scores, 7, 3)), (std::vector<int64_t>{5, 2, 3}));
  EXPECT_EQ(TopK(scores, 3, 5).size(), 3u);  // fewer when count < k
  EXPECT_TRUE(TopK(scores, 0, 5).empty());
}

TEST(TopK, AgreesWithAStableSort) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> scores(50);
    for (float& score : scores) {
      int draw = static_cast<int>(random() % 12);  // few values, so many ties
      score = draw == 0 ? kNaN : static_cast<float>(draw);
    }
    std::vector<int64_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      if (std::isnan(scores[a])) return false;
      return std::isnan(scores[b]) || scores[a] > scores[b];
    });
    order.resize(5);
    ASSERT_EQ(Labels(TopK(scores.data(), 50, 5)), order);
  }
}

TEST(Margin, IsNeverNan) {
  EXPECT_EQ(Margin({{1, 3.0}, {2, 1.0}}), 2.0);
  EXPECT_EQ(Margin({{1, 3.0}}), kInf);
  EXPECT_EQ(Margin({}), kInf);
  EXPECT_EQ(Margin({{1, kInf}, {2, kInf}}), 0.0);
  EXPECT_EQ(Margin({{1, kNaN}, {2, kNaN}}), 0.0);
  EXPECT_EQ(Margin({{1, 3.0}, {2, kNaN}}), kInf);
  EXPECT_EQ(Margin({{1, 3.0}, {2, -kInf}}), kInf);
}

TEST(Names, RoundTrip) {
  for (int i = 0; i <= static_cast<int>(Verdict::kPending); ++i) {
    Verdict verdict = static_cast<Verdict>(i);
    EXPECT_EQ(VerdictFromName(VerdictName(verdict)), verdict);
  }
  for (Ending ending : {Ending::kOk, Ending::kCrashed, Ending::kTimeout}) {
    EXPECT_EQ(EndingFromName(EndingName(ending)), ending);
  }
  EXPECT_FALSE(VerdictFromName("dead"));
  EXPECT_FALSE(EndingFromName(""));
}

TEST(KilledByTop1, LooksAtTheFirstLabelOnly) {
  EXPECT_FALSE(KilledByTop1({{1, 3}, {2, 1}}, {{1, 9}, {5, 1}}));
  EXPECT_TRUE(KilledByTop1({{1, 3}, {2, 1}}, {{2, 3}, {1, 1}}));
  EXPECT_TRUE(KilledByTop1({{1, 3}}, {}));
  EXPECT_FALSE(KilledByTop1({}, {}));
}

TEST(Judge, StillbornAndEquivalentNeedNoFates) {
  Evidence evidence;
  evidence.build = "stillborn";
  evidence.build_reason = "cannot lower\nline two";
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kStillborn);
  EXPECT_EQ(Judge(evidence).reason, "cannot lower");
  evidence.build = "equivalent";
  evidence.build_reason = "";
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kEquivalent);
  EXPECT_EQ(Judge(evidence).reason, "same machine code");
}

// A mutant of one target's code has no verdict on devices of another.
TEST(Judge, IgnoredNeedsNoFates) {
  Evidence evidence;
  evidence.build = "ignored";
  evidence.build_reason = "changes the code of another target";
  evidence.images_planned = 3;
  const Judgement judged = Judge(evidence);
  EXPECT_EQ(judged.verdict, Verdict::kIgnored);
  EXPECT_EQ(judged.reason, "changes the code of another target");
}

TEST(Judge, PendingUntilBuiltAndRun) {
  Evidence evidence = Against7({Ok("a", 7)}, 2);
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kPending);
  EXPECT_EQ(Judge(evidence).reason, "1 of 2 images run");
  evidence.build = "pending";
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kPending);
  EXPECT_EQ(Judge(Against7({}, 0)).verdict, Verdict::kPending);  // no image: nothing was shown
}

TEST(Judge, SurvivedWhenEveryPlannedImageWasCompared) {
  Judgement judged = Judge(Against7({Ok("a", 7), Ok("b", 7)}, 2));
  EXPECT_EQ(judged.verdict, Verdict::kSurvived);
  EXPECT_EQ(judged.images_compared, 2);
  EXPECT_EQ(judged.images_differing, 0);
  EXPECT_EQ(judged.killing_image, "");
}

TEST(Judge, FirstDetectingFateDecides) {
  Fate crash = Ended("b.jpg", Ending::kCrashed, "SIGSEGV in step conv3");
  Judgement judged = Judge(Against7({Ok("a.jpg", 8), crash}, 2));
  EXPECT_EQ(judged.verdict, Verdict::kKilled);
  EXPECT_EQ(judged.reason, "label 7 -> 8 on a.jpg");
  EXPECT_EQ(judged.killing_image, "a.jpg");

  judged = Judge(Against7({crash, Ok("a.jpg", 8)}, 2));
  EXPECT_EQ(judged.verdict, Verdict::kCrashed);
  EXPECT_EQ(judged.reason, "SIGSEGV in step conv3 on b.jpg");

  judged = Judge(Against7({Ended("t.jpg", Ending::kTimeout, ""), crash}, 5));
  EXPECT_EQ(judged.verdict, Verdict::kTimeout);
  EXPECT_EQ(judged.reason, "timeout on t.jpg");
}

TEST(Judge, EarlyIgnoresWhatRanBeyondTheKill) {
  Evidence evidence = Against7({Ok("a", 7), Ok("b", 9), Ok("c", 9), Ok("d", 7)}, 4);
  evidence.fates[2].nonfinite = true;
  Judgement early = Judge(evidence);
  EXPECT_EQ(early.images_compared, 2);
  EXPECT_EQ(early.images_differing, 1);
  EXPECT_FALSE(early.nonfinite);
  evidence.full_matrix = true;
  Judgement full = Judge(evidence);
  EXPECT_EQ(full.verdict, early.verdict);
  EXPECT_EQ(full.reason, early.reason);
  EXPECT_EQ(full.images_compared, 4);
  EXPECT_EQ(full.images_differing, 2);
  EXPECT_TRUE(full.nonfinite);
}

TEST(Judge, CrashedRunsAreNotCompared) {
  Evidence evidence = Against7({Ok("a", 9), Ended("b", Ending::kCrashed, "SIGBUS")}, 2);
  evidence.full_matrix = true;
  EXPECT_EQ(Judge(evidence).images_compared, 1);
  EXPECT_EQ(Judge(evidence).images_differing, 1);
}

// The original has another label on b from run to run.
TEST(Judge, ImagesThatAreNotStableDoNotKill) {
  auto judged = [](std::vector<Fate> fates, bool full = false) {
    Evidence evidence = Against7(std::move(fates), 3);
    evidence.repeats = {{4, 0}, {4, 1}, {4, 0}};
    evidence.repeats.resize(evidence.fates.size());
    evidence.full_matrix = full;
    return Judge(evidence);
  };
  for (bool full : {false, true}) {
    Judgement judgement = judged({Ok("a", 7), Ok("b", 9), Ok("c", 7)}, full);
    EXPECT_EQ(judgement.verdict, Verdict::kUnstable);
    EXPECT_EQ(judgement.reason, "label 7 -> 9 on b, where the original's own label changes");
    EXPECT_EQ(judgement.killing_image, "");
    EXPECT_EQ(judgement.images_differing, 1);
    judgement = judged({Ok("a", 7), Ok("b", 9), Ok("c", 8)}, full);
    EXPECT_EQ(judgement.reason, "label 7 -> 8 on c");
    EXPECT_EQ(judgement.killing_image, "c");
    EXPECT_EQ(judged({Ok("a", 7), Ok("b", 7), Ok("c", 7)}, full).verdict, Verdict::kSurvived);
    // A crash is no noise.
    EXPECT_EQ(judged({Ok("a", 7), Ended("b", Ending::kCrashed, "SIGBUS")}, full).verdict,
              Verdict::kCrashed);
  }
  // What is still to run may kill.
  EXPECT_EQ(judged({Ok("a", 7), Ok("b", 9)}).verdict, Verdict::kPending);
}

TEST(Judge, EarlyGoesOnBehindAnImageThatIsNotStable) {
  Evidence evidence = Against7({Ok("a", 9), Ok("b", 9), Ok("c", 9)}, 3);
  evidence.repeats = {{4, 2}, {4, 0}, {4, 0}};
  EXPECT_EQ(JudgedFates(evidence), 2u);
  EXPECT_EQ(Judge(evidence).killing_image, "b");
  EXPECT_FALSE(Detects(evidence, 0));
  EXPECT_TRUE(Detects(evidence, 1));
}

// `images` images, the original's labels cycling over `original_labels`, the mutant's over
// `labels`.
Judgement JudgeLabels(int images, int original_labels, int labels) {
  Evidence evidence;
  for (int i = 0; i < images; ++i) {
    evidence.fates.push_back(Ok("image" + std::to_string(i), 100 + i % labels));
    evidence.originals.push_back(Top(i % original_labels));
  }
  evidence.images_planned = images;
  evidence.full_matrix = true;
  return Judge(evidence);
}

TEST(Judge, DegenerateAtItsLimits) {
  EXPECT_TRUE(JudgeLabels(10, 5, 1).degenerate);
  EXPECT_FALSE(JudgeLabels(9, 5, 1).degenerate);
  EXPECT_FALSE(JudgeLabels(10, 4, 1).degenerate);
  EXPECT_FALSE(JudgeLabels(10, 5, 2).degenerate);
  EXPECT_FALSE(JudgeLabels(39, 5, 2).degenerate);  // 39 / 20 = 1
  EXPECT_TRUE(JudgeLabels(40, 5, 2).degenerate);   // 40 / 20 = 2
  EXPECT_FALSE(JudgeLabels(40, 5, 3).degenerate);
}

TEST(Score, DetectedIsAPartOfValid) {
  for (Verdict verdict : {Verdict::kKilled, Verdict::kCrashed, Verdict::kTimeout}) {
    EXPECT_TRUE(Detected(verdict) && Valid(verdict));
  }
  EXPECT_TRUE(Valid(Verdict::kSurvived) && !Detected(Verdict::kSurvived));
  for (Verdict verdict : {Verdict::kEquivalent, Verdict::kStillborn, Verdict::kIgnored,
                          Verdict::kUnstable, Verdict::kPending}) {
    EXPECT_FALSE(Valid(verdict) || Detected(verdict));
  }
}

TEST(TopJson, KeepsWhatJsonCannotSay) {
  std::vector<Ranked> top = {{3, kInf}, {2, 0.1f}, {9, -kInf}, {1, kNaN}};
  std::string text = DumpJson(TopToJson(top));
  EXPECT_EQ(text, R"([[3,"inf"],[2,0.10000000149011612],[9,"-inf"],[1,"nan"]])");
  auto parsed = TopFromJson(ParseJson(text, "t").value(), "t");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ((*parsed)[0], top[0]);
  EXPECT_EQ((*parsed)[1], top[1]);
  EXPECT_EQ((*parsed)[2], top[2]);
  EXPECT_TRUE(std::isnan((*parsed)[3].score));
  EXPECT_FALSE(TopFromJson(ParseJson("{\"a\":1}", "t").value(), "t").ok());
  EXPECT_FALSE(TopFromJson(ParseJson("[[\"x\",1]]", "t").value(), "t").ok());
  EXPECT_FALSE(TopFromJson(ParseJson("[[1,\"x\"]]", "t").value(), "t").ok());
}

TEST(TopJson, TextIsReadAsItsJson) {
  for (const char* text :
       {"[]", "[[3,0.25]]", "[[1,2.5],[7,-1e-08],[2,3]]", "[ [1, 2.5] ]", "[[4,\"inf\"],[5,null]]",
        "[[1]]", "[[1,2],]", "[[1,2]", "[[\"x\",1]]", "", "[[1,2]]x", "[[1,inf]]", "[[1.5,2]]"}) {
    auto json = ParseJson(text, "t");
    auto slow = json.ok() ? TopFromJson(*json, "t") : Result<std::vector<Ranked>>(json.error());
    auto fast = TopFromText(text, "t");
    ASSERT_EQ(fast.ok(), slow.ok()) << text;
    if (fast.ok()) {
      EXPECT_EQ(DumpJson(TopToJson(*fast)), DumpJson(TopToJson(*slow))) << text;
    }
  }
}

KillRule Rule(const std::string& text) {
  auto rule = ParseKillRule(text);
  EXPECT_TRUE(rule.ok()) << text;
  EXPECT_EQ(KillRuleText(*rule), text);
  return *rule;
}

TEST(KillRule, TextsAreReadAndWritten) {
  EXPECT_EQ(Rule("top1"), KillRule{});
  EXPECT_EQ(Rule("topk:5").k, 5);
  EXPECT_EQ(Rule("output:0.001").tolerance, 0.001);
  EXPECT_EQ(Rule("accept:max_accuracy_drop=0.02,max_label_changes=3").max_label_changes, 3);
  EXPECT_EQ(Rule("accept:max_recall_drop=0.5").max_accuracy_drop, std::nullopt);
  for (const char* wrong :
       {"", "top", "top1:1", "topk", "topk:0", "topk:1.5", "topk:1e300", "topk:x",
        "output:", "output:-1", "output:nan", "accept:", "accept:max_label_changes=1.5",
        "accept:max_label_changes", "accept:unknown=1", "accept:,"}) {
    EXPECT_FALSE(ParseKillRule(wrong).ok()) << wrong;
  }
}

Fate WithOutput(const std::string& image, std::vector<Ranked> top, double difference) {
  Fate fate;
  fate.image = image;
  fate.top = std::move(top);
  fate.max_abs_diff = difference;
  return fate;
}

TEST(KillRule, OfOneImage) {
  std::vector<Ranked> original = {{7, 3}, {8, 2}, {9, 1}};
  Fate moved = WithOutput("a", {{8, 3}, {7, 2}, {9, 1}}, 0.5);
  EXPECT_TRUE(KillsImage(Rule("top1"), original, moved));
  EXPECT_TRUE(KillsImage(Rule("topk:1"), original, moved));
  EXPECT_FALSE(KillsImage(Rule("topk:2"), original, moved));
  EXPECT_FALSE(KillsImage(Rule("topk:9"), original, moved));
  EXPECT_TRUE(KillsImage(Rule("topk:2"), original, WithOutput("a", {{8, 3}, {9, 2}, {7, 1}}, 0)));
  EXPECT_FALSE(KillsImage(Rule("output:0.5"), original, moved));
  EXPECT_TRUE(KillsImage(Rule("output:0.4"), original, moved));
  EXPECT_TRUE(KillsImage(Rule("output:1e+30"), original, WithOutput("a", original, kNaN)));
  moved.nonfinite = true;
  EXPECT_TRUE(KillsImage(Rule("output:1e+30"), original, moved));
}

// Truth 7, 7, 1, 2, -; the original is right on the first two and says 7 for all.
Evidence Accept(const std::string& rule, std::vector<Fate> fates, int planned = 5) {
  Evidence evidence = Against7(std::move(fates), planned);
  evidence.truths = {7, 7, 1, 2, -1};
  evidence.truths.resize(evidence.fates.size());
  evidence.full_matrix = true;
  evidence.rule = ParseKillRule(rule).value();
  return evidence;
}

TEST(KillRule, AcceptanceLimits) {
  // One label lost, one won: accuracy stays 2 of 4, recall of class 7 falls from 2/2 to 1/2.
  std::vector<Fate> fates = {Ok("a", 7), Ok("b", 3), Ok("c", 1), Ok("d", 7), Ok("e", 7)};
  EXPECT_EQ(Judge(Accept("accept:max_accuracy_drop=0", fates)).verdict, Verdict::kSurvived);
  EXPECT_EQ(Judge(Accept("accept:max_recall_drop=0.5", fates)).verdict, Verdict::kSurvived);
  Judgement judged = Judge(Accept("accept:max_recall_drop=0.4", fates));
  EXPECT_EQ(judged.verdict, Verdict::kKilled);
  EXPECT_EQ(judged.reason, "recall of class 7 2/2 -> 1/2, a drop of 0.4 accepted");
  EXPECT_EQ(Judge(Accept("accept:max_label_changes=2", fates)).verdict, Verdict::kSurvived);
  EXPECT_EQ(Judge(Accept("accept:max_label_changes=1", fates)).reason,
            "2 label changes, 1 accepted");
  fates[2] = Ok("c", 7);
  EXPECT_EQ(Judge(Accept("accept:max_accuracy_drop=0.2", fates)).reason,
            "accuracy 2/4 -> 1/4, a drop of 0.2 accepted");
}

TEST(KillRule, AcceptanceIsPendingUntilItIsKnown) {
  std::vector<Fate> fates = {Ok("a", 7), Ok("b", 3)};
  EXPECT_EQ(Judge(Accept("accept:max_accuracy_drop=0", fates)).verdict, Verdict::kPending);
  EXPECT_EQ(Judge(Accept("accept:max_label_changes=1", fates)).verdict, Verdict::kPending);
  // More images cannot undo this one.
  EXPECT_EQ(Judge(Accept("accept:max_label_changes=0", fates)).verdict, Verdict::kKilled);
  Evidence no_truth = Accept("accept:max_accuracy_drop=0.1", {Ok("a", 7)}, 1);
  no_truth.truths = {-1};
  EXPECT_EQ(Judge(no_truth).verdict, Verdict::kPending);
  EXPECT_EQ(Judge(no_truth).reason, "no image has a truth");
  fates.push_back(Ended("c", Ending::kCrashed, "SIGSEGV"));
  EXPECT_EQ(Judge(Accept("accept:max_accuracy_drop=1", fates)).verdict, Verdict::kCrashed);
}

TEST(KillRule, UnderEarlyNothingAfterTheCampaignsOwnDetectionCounts) {
  Evidence evidence = Against7(
      {WithOutput("a", Top(7), 0.1), WithOutput("b", Top(8), 0.2), WithOutput("c", Top(7), 9)}, 3);
  evidence.rule = Rule("output:1");
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kPending);
  EXPECT_EQ(JudgedFates(evidence), 2u);
  evidence.full_matrix = true;
  EXPECT_EQ(Judge(evidence).reason, "output differs by 9 on c");
}

TEST(Judge, WhatTheDeviceDoesNotCompileIsStillborn) {
  Evidence evidence;
  Fate fate;
  fate.image = "a";
  fate.ending = Ending::kCrashed;
  fate.detail = std::string(kDoesNotCompile) + ": half is not supported";
  evidence.fates = {fate};
  evidence.originals = {{{1, 0.5}}};
  evidence.images_planned = 3;
  const Judgement judged = Judge(evidence);
  EXPECT_EQ(judged.verdict, Verdict::kStillborn);
  EXPECT_NE(judged.reason.find("half is not supported"), std::string::npos);
  evidence.fates[0].detail = "SIGSEGV in step a";
  EXPECT_EQ(Judge(evidence).verdict, Verdict::kCrashed);
}

}  // namespace
}  // namespace mutatenn
