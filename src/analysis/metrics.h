// Comparisons of two outputs of one network for one image, one file a metric (<name>.cc): by the
// first label, by the order of the best labels, by edits between the two top lists, and by the
// whole outputs (the margin of one output is judge/margin.cc). Of whole outputs both must be of one
// size; no value when that is 0, or a formula divides by 0.
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

// The scores by class, when the list holds every class: `classes` is their number.
std::optional<std::vector<double>> WholeOutput(const std::vector<Ranked>& top, size_t classes);

// l2.cc: Euclidean distance.
std::optional<double> L2Distance(std::span<const double> a, std::span<const double> b);
// max_error.cc: largest absolute difference.
std::optional<double> MaxError(std::span<const double> a, std::span<const double> b);
// floor_error.cc: a largest error in units of the device's floor, the largest difference there that
// says nothing (noise_rule.h, NoiseLimit): above 1 it is more than noise and rounding. Infinite
// where nothing differs from run to run but this does; no value on a device without a floor.
std::optional<double> ErrorAgainstFloor(double error, double floor);
// cosine.cc: 1 - cosine of the angle, in [0, 2]; no value when one is all zeros.
std::optional<double> CosineDistance(std::span<const double> a, std::span<const double> b);
// softmax_kl.cc: Kullback-Leibler divergence of softmax(b) from softmax(a), in nats, >= 0 (S.
// Kullback and R. A. Leibler, "On information and sufficiency", 1951).
std::optional<double> SoftmaxKl(std::span<const double> a, std::span<const double> b);
std::vector<double> Softmax(std::span<const double> scores);
// d_mad.cc: LEMON's distance of two backends in [0, 1] (Z. Wang et al., "Deep learning library
// testing via effective model generation", FSE 2020): |A - B| / (A + B), where A and B are the mean
// absolute deviations of softmax(a) and softmax(b) from the true class's one-hot vector; 0 when
// both are 0.
std::optional<double> DMad(std::span<const double> a, std::span<const double> b, int64_t truth);

}  // namespace mutatenn
