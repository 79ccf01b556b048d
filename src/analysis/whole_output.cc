// A top list that holds every class to the output it was made of.
#include "analysis/metrics.h"

namespace mutatenn {

std::optional<std::vector<double>> WholeOutput(const std::vector<Ranked>& top, size_t classes) {
  if (classes == 0 || top.size() != classes) return std::nullopt;
  std::vector<double> scores(classes);
  std::vector<bool> seen(classes);
  for (const Ranked& entry : top) {
    auto label = static_cast<size_t>(entry.label);
    if (entry.label < 0 || label >= classes || seen[label]) return std::nullopt;
    seen[label] = true;
    scores[label] = entry.score;
  }
  return scores;
}

}  // namespace mutatenn
