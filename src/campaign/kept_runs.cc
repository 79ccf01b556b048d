// Rows of fates and of further runs to one form, and back; a worker's answer to rows.
#include "campaign/kept_runs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "campaign/steps.h"
#include "judge/top_json.h"

namespace mutatenn {

std::string KeptRuns::Name() const { return first() ? "" : fmt::format(", run {}", run_); }

Result<FatesByMutant> KeptRuns::Fates() const {
  FatesByMutant fates;
  if (first()) {
    for (StoredFate& fate : TRY(store_.Fates(model_, device_)))
      fates[fate.mutant].push_back(std::move(fate));
    return fates;
  }
  for (StoredMutantRun& row : TRY(store_.MutantRuns(model_, device_))) {
    if (row.run != run_) continue;
    StoredFate fate{model_, row.mutant, device_, std::move(row.image), row.ending, "[]"};
    if (row.label >= 0) fate.top_json = DumpJson(TopToJson({{row.label, 0}}));
    fates[row.mutant].push_back(std::move(fate));
  }
  return fates;
}

Result<std::set<std::string>> KeptRuns::LeftOut(size_t images) const {
  std::set<std::string> left_out;
  if (first()) return left_out;
  FatesByMutant before = TRY(KeptRuns(store_, model_, device_, 1).Fates());
  for (const StoredMutant& mutant : TRY(store_.Mutants(model_))) {
    const std::vector<StoredFate>& fates = before[mutant.id];
    const auto died = [](const StoredFate& fate) { return fate.ending != "ok"; };
    if (fates.size() < images || std::any_of(fates.begin(), fates.end(), died))
      left_out.insert(mutant.id);
  }
  return left_out;
}

Status KeptRuns::Put(const std::vector<StoredFate>& fates,
                     const std::optional<StoredOutOfBounds>& outside) const {
  if (first()) return store_.PutFates(fates, outside);
  std::vector<StoredMutantRun> rows;
  for (const StoredFate& fate : fates) {
    const std::string where = "a run of " + fate.mutant;
    const std::vector<Ranked> top = TRY(TopFromJson(TRY(ParseJson(fate.top_json, where)), where));
    rows.push_back({fate.model, fate.mutant, fate.device, fate.image, run_, fate.ending,
                    top.empty() ? -1 : top.front().label});
  }
  return store_.PutMutantRuns(rows);
}

StoredDone StoredForm(const std::string& model, const std::string& device, const MutantDone& done) {
  StoredDone stored;
  for (const Fate& fate : done.fates)
    stored.fates.push_back({model, done.mutant, device, fate.image, EndingName(fate.ending),
                            DumpJson(TopToJson(fate.top)), fate.infected, fate.dirty_steps,
                            fate.first_diverging_step, fate.first_diverging_layer, fate.nonfinite,
                            fate.max_abs_diff, fate.seconds, fate.detail});
  if (const auto& access = done.out_of_bounds)
    stored.outside = {model, done.mutant, device, access->step, access->buffer, access->offset};
  return stored;
}

}  // namespace mutatenn
