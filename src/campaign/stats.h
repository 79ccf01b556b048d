// Where a campaign's time went and what it did not have to do: filled by the steps of a campaign as
// they go (this run's work alone, not what an earlier run stored), printed by `mutatenn run
// --stats`. docs/performance.md says what each figure tells.
#pragma once

#include <string>

#include "base/json.h"
#include "device/worker_stats.h"

namespace mutatenn {

struct CampaignStats {
  // Wall time of the stages, one after the other; their sum is `wall_s` less what is between them.
  double wall_s = 0;
  double images_s = 0;    // preprocessing
  double original_s = 0;  // importing the models and compiling the originals
  double build_s = 0;  // enumerating points, building mutants; with jobs, originals run meanwhile
  double run_s = 0;    // devices: what is left of originals, then mutants
  // Work, over all processes, wherever it was done.
  double import_s = 0;
  double compile_s = 0;  // code of originals and mutants, linking left out
  double link_s = 0;
  double store_s = 0;
  WorkerStats worker;  // of all devices

  int jobs = 1;                                  // the most that any stage uses
  int kernels_compiled = 0, kernels_cached = 0;  // of originals
  int mutants_built = 0;                         // that the generator answered for, with:
  int mutants_cached = 0, equivalent = 0, stillborn = 0;
  int judged = 0;               // (mutant, device) pairs run to their end
  int shared = 0;               // of these: not run, because an equal mutant was
  int fates = 0, infected = 0;  // (mutant, image) pairs with a result

  // Fork, exit, messages and guard copies over wall time x jobs; nothing else of a mutant's cost
  // comes from keeping it apart. The guarded run of the mutated step is the search for accesses
  // outside, and is told on its own.
  double IsolationShare() const;
  double StoreShare() const { return wall_s > 0 ? store_s / wall_s : 0; }
};

Json ToJson(const CampaignStats& stats);
// A table for people, lines of 80 columns at most.
std::string StatsTable(const CampaignStats& stats);

}  // namespace mutatenn
