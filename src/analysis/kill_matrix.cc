// Outcomes to bits, and bits to sets of images and of mutants.
#include "analysis/kill_matrix.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace mutatenn {
namespace {

using Bits = std::vector<uint64_t>;

bool Has(const Bits& bits, int i) {
  return bits[static_cast<size_t>(i) / 64] >> (static_cast<size_t>(i) % 64) & 1;
}
void Set(Bits& bits, int i) {
  bits[static_cast<size_t>(i) / 64] |= uint64_t{1} << (static_cast<size_t>(i) % 64);
}
bool Subset(const Bits& a, const Bits& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] & ~b[i]) return false;
  }
  return true;
}
int Count(const Bits& bits) {
  int count = 0;
  for (uint64_t word : bits) count += std::popcount(word);
  return count;
}

// The killed rows' kill sets, each once, smallest first, without those that contain another: what
// kills the smaller one kills the larger.
std::vector<std::pair<Bits, size_t>> MinimalSets(const KillMatrix& matrix) {
  std::map<Bits, size_t> first;
  for (size_t row = 0; row < matrix.rows().size(); ++row) {
    if (matrix.rows()[row].kills > 0) first.emplace(matrix.rows()[row].bits, row);
  }
  std::vector<std::pair<Bits, size_t>> sets(first.begin(), first.end()), minimal;
  std::sort(sets.begin(), sets.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(Count(a.first), a.second) < std::make_tuple(Count(b.first), b.second);
  });
  for (auto& set : sets) {
    bool dominated = std::any_of(minimal.begin(), minimal.end(), [&](const auto& smaller) {
      return Subset(smaller.first, set.first);
    });
    if (!dominated) minimal.push_back(std::move(set));
  }
  return minimal;
}

// Smallest set of images that hits every set, by trying the images of the smallest set not yet hit.
class Search {
 public:
  Search(const std::vector<Bits>& sets, int best, int64_t steps)
      : sets_(sets), best_(best), steps_(steps) {}
  std::optional<int> Run(size_t words) {
    Try(Bits(words), 0);
    return steps_ > 0 ? std::optional(best_) : std::nullopt;
  }

 private:
  // At least so many images more: sets without a common image need one each.
  int Needed(const Bits& chosen) const {
    Bits used = chosen;
    int needed = 0;
    for (const Bits& set : sets_) {
      bool apart = true;
      for (size_t i = 0; i < set.size(); ++i) apart &= (set[i] & used[i]) == 0;
      if (!apart) continue;
      ++needed;
      for (size_t i = 0; i < set.size(); ++i) used[i] |= set[i];
    }
    return needed;
  }
  void Try(const Bits& chosen, int size) {
    if (--steps_ <= 0 || size + Needed(chosen) >= best_) {
      return;
    }
    const Bits* open = nullptr;
    for (const Bits& set : sets_) {
      bool hit = false;
      for (size_t i = 0; i < set.size(); ++i) hit |= (set[i] & chosen[i]) != 0;
      if (!hit) {
        open = &set;
        break;
      }
    }
    if (open == nullptr) {
      best_ = size;
      return;
    }
    for (int image = 0; image < static_cast<int>(open->size() * 64); ++image) {
      if (!Has(*open, image)) continue;
      Bits more = chosen;
      Set(more, image);
      Try(more, size + 1);
    }
  }

  const std::vector<Bits>& sets_;
  int best_;
  int64_t steps_;
};

}  // namespace

KillMatrix::KillMatrix(const ModelView& model, int device)
    : images_(static_cast<int>(model.images.size())) {
  size_t words = (model.images.size() + 63) / 64;
  for (size_t m = 0; m < model.mutants.size(); ++m) {
    const DeviceResult& result = model.mutants[m].devices[static_cast<size_t>(device)];
    if (!Valid(result.judgement.verdict)) continue;
    if (!result.complete) {
      ++left_out_;
      continue;
    }
    Row row{m, Bits(words), 0};
    for (const Outcome& outcome : result.outcomes) {
      if (outcome.kills) Set(row.bits, outcome.image);
    }
    row.kills = Count(row.bits);
    rows_.push_back(std::move(row));
  }
}

KillMatrix::KillMatrix(int images, const std::vector<std::vector<int>>& kills) : images_(images) {
  for (size_t m = 0; m < kills.size(); ++m) {
    Row row{m, Bits((static_cast<size_t>(images) + 63) / 64), static_cast<int>(kills[m].size())};
    for (int image : kills[m]) Set(row.bits, image);
    rows_.push_back(std::move(row));
  }
}

int KillMatrix::killed() const {
  return static_cast<int>(
      std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return row.kills > 0; }));
}

std::vector<int> IdleImages(const KillMatrix& matrix) {
  Bits any((static_cast<size_t>(matrix.images()) + 63) / 64);
  for (const auto& row : matrix.rows()) {
    for (size_t i = 0; i < any.size(); ++i) any[i] |= row.bits[i];
  }
  std::vector<int> idle;
  for (int image = 0; image < matrix.images(); ++image) {
    if (!Has(any, image)) idle.push_back(image);
  }
  return idle;
}

std::vector<int> GreedyImages(const KillMatrix& matrix) {
  std::vector<const Bits*> open;
  for (const auto& row : matrix.rows()) {
    if (row.kills > 0) open.push_back(&row.bits);
  }
  std::vector<int> chosen;
  while (!open.empty()) {
    std::vector<int> counts(static_cast<size_t>(matrix.images()));
    for (const Bits* bits : open) {
      for (int image = 0; image < matrix.images(); ++image)
        counts[static_cast<size_t>(image)] += Has(*bits, image);
    }
    int best = static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
    chosen.push_back(best);
    std::erase_if(open, [&](const Bits* bits) { return Has(*bits, best); });
  }
  return chosen;
}

std::optional<int> SmallestImageSet(const KillMatrix& matrix, int64_t steps) {
  std::vector<Bits> sets;
  for (auto& [bits, row] : MinimalSets(matrix)) sets.push_back(bits);
  if (sets.empty()) return 0;
  int greedy = static_cast<int>(GreedyImages(matrix).size());
  return Search(sets, greedy, steps).Run(sets.front().size());
}

std::vector<double> ExpectedScore(const KillMatrix& matrix) {
  std::vector<size_t> all(matrix.rows().size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  return ExpectedScore(matrix, all);
}

std::vector<double> ExpectedScore(const KillMatrix& matrix, const std::vector<size_t>& of) {
  if (of.empty()) return {};
  int n = matrix.images();
  std::vector<int> rows_with(static_cast<size_t>(n) + 1);  // [k]: rows that k images kill
  for (size_t row : of) ++rows_with[static_cast<size_t>(matrix.rows()[row].kills)];
  std::vector<double> expected(static_cast<size_t>(n) + 1);
  for (int k = 0; k <= n; ++k) {
    if (rows_with[static_cast<size_t>(k)] == 0) continue;
    double escapes = 1;  // C(n - k, m) / C(n, m), one image after the other
    for (int m = 0; m <= n; ++m) {
      expected[static_cast<size_t>(m)] += rows_with[static_cast<size_t>(k)] * (1 - escapes);
      if (m < n) escapes *= std::max(0, n - k - m) / static_cast<double>(n - m);
    }
  }
  for (double& value : expected) value /= static_cast<double>(of.size());
  return expected;
}

std::vector<size_t> DominatorRows(const KillMatrix& matrix) {
  std::vector<size_t> rows;
  for (const auto& [bits, row] : MinimalSets(matrix)) rows.push_back(row);
  std::sort(rows.begin(), rows.end());
  return rows;
}

int DistinctKillSets(const KillMatrix& matrix) {
  std::set<Bits> sets;
  for (const auto& row : matrix.rows()) {
    if (row.kills > 0) sets.insert(row.bits);
  }
  return static_cast<int>(sets.size());
}

std::vector<size_t> TrivialRows(const KillMatrix& matrix) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < matrix.rows().size(); ++row) {
    if (matrix.images() > 0 && matrix.rows()[row].kills * 10 >= matrix.images() * 9)
      rows.push_back(row);
  }
  return rows;
}

std::vector<size_t> UniqueRows(const KillMatrix& matrix) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < matrix.rows().size(); ++row) {
    if (matrix.rows()[row].kills == 1) rows.push_back(row);
  }
  return rows;
}

std::vector<NearSurvivor> NearSurvivors(const ModelView& model, int device) {
  std::vector<NearSurvivor> survivors;
  for (size_t m = 0; m < model.mutants.size(); ++m) {
    const DeviceResult& result = model.mutants[m].devices[static_cast<size_t>(device)];
    if (model.mutants[m].mark || result.judgement.verdict != Verdict::kSurvived) continue;
    std::vector<const Outcome*> nearest;
    NearSurvivor survivor;
    survivor.mutant = m;
    for (const Outcome& outcome : result.outcomes) {
      survivor.infected += outcome.infected;
      nearest.push_back(&outcome);
    }
    if (nearest.empty()) continue;
    std::stable_sort(nearest.begin(), nearest.end(),
                     [](const Outcome* a, const Outcome* b) { return a->margin < b->margin; });
    survivor.margin = nearest.front()->margin;
    for (size_t i = 0; i < std::min<size_t>(3, nearest.size()); ++i)
      survivor.nearest.push_back(nearest[i]->image);
    survivors.push_back(std::move(survivor));
  }
  std::stable_sort(survivors.begin(), survivors.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.infected == 0, a.margin) < std::make_tuple(b.infected == 0, b.margin);
  });
  return survivors;
}

}  // namespace mutatenn
