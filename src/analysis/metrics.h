// Comparisons of two outputs of one network for one image, one file a metric (<name>.cc): by the
// first label, by the order of the best labels, by edits between the two top lists.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "judge/judge.h"

namespace mutatenn {

// top1.cc: the first labels differ; the kill rule `top1`. An output with no label differs from any
// other.
bool Top1Differs(const std::vector<Ranked>& a, const std::vector<Ranked>& b);

// kendall_tau.cc: Kendall's tau-b of paired observations (M. G. Kendall, "The treatment of ties in
// ranking problems", Biometrika 33, 1945), in [-1, 1]. Sizes must be equal. No value with fewer
// than two pairs or when one side is all ties. Quadratic: meant for top lists.
std::optional<double> KendallTauB(std::span<const double> x, std::span<const double> y);
// The same over ranks of labels: a label's rank is its place in the list, from 1; the labels that
// only the other list has share the place after the last.
std::optional<double> RankTau(const std::vector<Ranked>& a, const std::vector<Ranked>& b);

// levenshtein.cc: insertions, deletions and replacements of labels that turn one list into the
// other (V. I. Levenshtein, 1966), 0 to the longer one's length; scores do not matter.
int LevenshteinDistance(const std::vector<Ranked>& a, const std::vector<Ranked>& b);

}  // namespace mutatenn
