// Devices against each other: where a mutant, or the original, gives another verdict or another
// label on one device than on another, over the images that both ran.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "judge/judge.h"

namespace mutatenn {

struct ModelView;

struct DeviceComparison {
  int base = 0, evaluated = 0;               // indices into CampaignView::devices
  int originals_compared = 0;                // images on which the original ran on both
  int originals_differing = 0;               // of them, with different first labels
  int mutants_compared = 0;                  // verdict known (not pending or ignored) on both
  std::vector<std::string> verdicts_differ;  // their ids, in the view's order
  int runs_compared = 0;                     // (mutant, image) that gave an output on both
  int runs_differing = 0;                    // of them, with different first labels
  std::vector<std::string> labels_differ;    // mutants with such a run, in the view's order
  std::optional<double> mean_rank_tau;       // Kendall's tau-b over the runs where it has a value
  std::optional<double> mean_levenshtein;    // over the runs compared
  // Over the runs that have a value; only of whole outputs (`top_k` above the number of classes).
  std::optional<double> mean_l2, max_error, mean_cosine, mean_kl, mean_d_mad;
};

// One mutant's fates on one device, in image order; `images` are indices into ModelView::images.
struct DeviceFates {
  std::vector<int> images;
  std::vector<Fate> fates;
};

// Takes the mutants of a model one after the other, so that no fate needs to be kept.
class DeviceComparer {
 public:
  // The model's originals must be there. A list with fewer than `top_k` labels holds all classes.
  DeviceComparer(const ModelView& model, size_t devices, int top_k);
  // `mutant`: index into ModelView::mutants; each at most once, in any fixed order.
  void Add(size_t mutant, const std::vector<DeviceFates>& devices);
  // Looks at the verdicts, which must be there by then.
  std::vector<DeviceComparison> Finish() &&;

 private:
  struct Mean {
    double sum = 0;
    int count = 0;
    void Add(const std::optional<double>& value);
    std::optional<double> Value() const;
  };
  struct Pair {
    DeviceComparison comparison;
    Mean tau, levenshtein, l2, cosine, kl, d_mad;
    std::vector<size_t> mutants;  // with a run whose labels differ
  };
  void CompareRun(Pair& pair, const Fate& first, const Fate& second, int64_t truth) const;

  const ModelView& model_;
  int top_k_;
  std::vector<Pair> pairs_;
};

}  // namespace mutatenn
