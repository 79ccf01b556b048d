// What the store keeps of the mutants' runs on a device: the fates of the first one, of every
// further one (`mutant_repeats`) how it ended and its first label.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace mutatenn {

using FatesByMutant = std::map<std::string, std::vector<StoredFate>>;

class KeptRuns {
 public:
  // `run` counts from 1, of the images under a full matrix.
  KeptRuns(Store& store, std::string model, std::string device, int run)
      : store_(store), model_(std::move(model)), device_(std::move(device)), run_(run) {}
  bool first() const { return run_ == 1; }
  // ", run 3" for people; "" of the first one.
  std::string Name() const;
  // Of a further run they hold no more than is kept of it.
  Result<FatesByMutant> Fates() const;
  // Mutants whose first run decides: one that died on an image, or has not yet been run on
  // `images`. None before the first run.
  Result<std::set<std::string>> LeftOut(size_t images) const;
  // One transaction. Accesses outside are those of the first run.
  Status Put(const std::vector<StoredFate>& fates,
             const std::optional<StoredOutOfBounds>& outside) const;

 private:
  Store& store_;
  std::string model_, device_;
  int run_;
};

}  // namespace mutatenn
