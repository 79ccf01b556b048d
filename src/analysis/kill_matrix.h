// What a full matrix tells of the images: which of them kill which mutants on one device, which are
// needed, how the score grows with them, and which mutants say something that others do not.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

// Valid mutants all of whose images ran, and which of these kill.
class KillMatrix {
 public:
  // Of mutants of the model on a device.
  KillMatrix(const ModelView& model, int device);
  // `kills[m]`: the images that kill mutant m.
  KillMatrix(int images, const std::vector<std::vector<int>>& kills);

  struct Row {
    size_t mutant = 0;           // index into ModelView::mutants
    std::vector<uint64_t> bits;  // image i: bit i % 64 of word i / 64
    int kills = 0;
  };
  int images() const { return images_; }
  const std::vector<Row>& rows() const { return rows_; }
  int killed() const;
  int left_out() const { return left_out_; }  // valid mutants not all of whose images ran

 private:
  int images_ = 0, left_out_ = 0;
  std::vector<Row> rows_;
};

// Images that kill nothing, in order.
std::vector<int> IdleImages(const KillMatrix& matrix);

// A small set of images that kills all that all images kill: always the image that kills most of
// what is left, the earlier one of equals. In the order of choice.
std::vector<int> GreedyImages(const KillMatrix& matrix);
// The size of a smallest such set; no value when it was not found within `steps`.
std::optional<int> SmallestImageSet(const KillMatrix& matrix, int64_t steps = 2'000'000);

// [m]: the mean share of the rows (or of `of` them, if given) that m images drawn at random kill,
// for m = 0 .. images; exact: a mutant that k of n images kill escapes C(n - k, m) of C(n, m)
// draws. Empty when there are no rows.
std::vector<double> ExpectedScore(const KillMatrix& matrix);
std::vector<double> ExpectedScore(const KillMatrix& matrix, const std::vector<size_t>& of);

// Rows (indices) of dominator mutants: one of each kill set that contains no other mutant's smaller
// one. Whatever kills all of them kills every killed mutant (B. Kurtz et al., "Mutant subsumption
// graphs", 2014). The first row stands for those with an equal kill set.
std::vector<size_t> DominatorRows(const KillMatrix& matrix);
// How many different sets of killing images there are.
int DistinctKillSets(const KillMatrix& matrix);
// Rows killed by at least 90 % of the images.
std::vector<size_t> TrivialRows(const KillMatrix& matrix);
// Rows that exactly one image kills.
std::vector<size_t> UniqueRows(const KillMatrix& matrix);

// A survivor and how near it came.
struct NearSurvivor {
  size_t mutant = 0;         // index into ModelView::mutants
  float margin = 0;          // smallest over its images, between its first and second label
  std::vector<int> nearest;  // up to three images, smallest margin first
  int infected = 0;          // images on which some value differed from the original's
};
// Unmarked survivors on a device that some image infected, smallest margin first, then the others.
std::vector<NearSurvivor> NearSurvivors(const ModelView& model, int device);

}  // namespace mutatenn
