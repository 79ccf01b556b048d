// The rules of judging on lists and fates small enough to be judged by hand.
#include "judge/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mutatenn
