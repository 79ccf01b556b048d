// Two lists of labels to the number of edits between them, one row of the table at a time.
#include <algorithm>

#include "analysis/metrics.h"

namespace mutatenn {

int LevenshteinDistance(const std::vector<Ranked>& a, const std::vector<Ranked>& b) {
  std::vector<int> row(b.size() + 1);  // row[j]: distance of the first i labels of a to j of b
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      int replaced = diagonal + (a[i - 1].label != b[j - 1].label);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace mutatenn
