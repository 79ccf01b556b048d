// Findings of a campaign made by hand; the tolerance is a thousandth of the largest score.
#include "analysis/findings.h"

#include <cmath>

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

// One device; images i0 and i1, whose original scores go up to 8 and, negative, 2.
ModelView Model() {
  ModelView model;
  model.images.resize(2);
  model.originals = {{OriginalResult{{{3, 8.0}, {1, 1.0}}, std::nullopt, 0},
                      OriginalResult{{{5, -0.5}, {2, -2.0}}, std::nullopt, 0}}};
  return model;
}

// Both images ran, with these differences of the outputs.
MutantView Mutant(const std::string& level, double first, double second, bool nonfinite = false) {
  MutantView mutant;
  mutant.stored.level = level;
  mutant.devices.resize(1);
  for (int i = 0; i < 2; ++i) {
    Fate fate;
    fate.image = "i" + std::to_string(i);
    fate.max_abs_diff = i == 0 ? first : second;
    fate.nonfinite = nonfinite && i == 1;
    mutant.devices[0].fates.push_back(fate);
    mutant.devices[0].images.push_back(i);
  }
  return mutant;
}

TEST(Findings, AreBeyondTheToleranceOfTheirImage) {
  ModelView model = Model();
  model.mutants = {Mutant("build", 0.0079, 0.0019), Mutant("build", 0.0081, 0),
                   Mutant("build", 0.009, 0.0025), Mutant("code", 5, 5)};
  const auto findings = FindingsOf(model);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].mutant, 1u);
  EXPECT_EQ(findings[0].image, "i0");
  EXPECT_DOUBLE_EQ(findings[0].max_abs_diff, 0.0081);
  EXPECT_DOUBLE_EQ(findings[0].tolerance, 0.008);
  EXPECT_EQ(findings[1].mutant, 2u);  // 1.125 and 1.25 times the tolerance
  EXPECT_EQ(findings[1].image, "i1");
  EXPECT_DOUBLE_EQ(findings[1].tolerance, 0.002);
}

TEST(Findings, NotANumberIsBeyondAll) {
  ModelView model = Model();
  model.mutants = {Mutant("build", 7, 0, /*nonfinite=*/true)};
  const auto findings = FindingsOf(model);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].image, "i1");
  EXPECT_TRUE(std::isinf(findings[0].max_abs_diff));
}

TEST(Findings, CrashesHaveNoOutputs) {
  ModelView model = Model();
  model.mutants = {Mutant("build", 7, 7)};
  for (Fate& fate : model.mutants[0].devices[0].fates) fate.ending = Ending::kCrashed;
  EXPECT_TRUE(FindingsOf(model).empty());
}

}  // namespace
}  // namespace mutatenn
