// Opening a campaign to read it, and what its end means for the exit status.
#include "cli/campaign_use.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "analysis/scores.h"
#include "judge/kill_rule.h"
#include "report/report.h"

namespace mutatenn {

namespace {

// Marks that say nothing true of this campaign, on standard error: they change no score.
void WarnOfMarks(const std::string& folder, const CampaignView& view) {
  std::set<std::string> found;
  for (const ModelView& model : view.models) {
    for (const MutantView& mutant : model.mutants) {
      if (!mutant.mark) continue;
      found.insert(mutant.stored.id);
      if (!Detected(OverallVerdict(mutant))) continue;
      std::fprintf(stderr, "mutatenn: %s: mutant %s is marked %s but was detected\n",
                   MarksPath(folder).c_str(), mutant.stored.id.c_str(),
                   MarkName(mutant.mark->kind));
    }
  }
  for (const Mark& mark : view.marks) {
    if (found.count(mark.mutant)) continue;
    std::fprintf(stderr, "mutatenn: %s: no mutant %s in this campaign\n", MarksPath(folder).c_str(),
                 mark.mutant.c_str());
  }
}

}  // namespace

Result<std::unique_ptr<Store>> OpenStore(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(StorePath(folder), error)) {
    return Fail(Code::kNotFound, folder, ": holds no campaign; `mutatenn run CONFIG --out ", folder,
                "` makes one");
  }
  return Store::OpenReadOnly(StorePath(folder));
}

Result<OpenCampaign> OpenToRead(const std::string& folder, const OpenOptions& options) {
  OpenCampaign open;
  open.store = TRY(OpenStore(folder));
  ReadOptions read{.marks = TRY(ReadMarks(folder)), .keep_fates = options.keep_fates};
  if (!options.kill.empty()) read.rule = TRY(ParseKillRule(options.kill));
  open.view = TRY(ReadCampaign(*open.store, read));
  WarnOfMarks(folder, open.view);
  return open;
}

Result<FoundMutant> FindMutant(const CampaignView& view, const std::string& folder,
                               const std::string& prefix) {
  std::vector<FoundMutant> found;
  for (const ModelView& model : view.models) {
    for (const MutantView& mutant : model.mutants) {
      if (mutant.stored.id.compare(0, prefix.size(), prefix) == 0)
        found.push_back({&model, &mutant});
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return Fail(Code::kNotFound, folder, ": has no mutant '", prefix, "'");
  std::string some;
  for (size_t i = 0; i < std::min<size_t>(found.size(), 4); ++i)
    some += (i ? ", " : "") + found[i].mutant->stored.id;
  return Fail(Code::kInvalidInput, folder, ": ", std::to_string(found.size()),
              " mutants start with '", prefix, "' (", some, found.size() > 4 ? ", ..." : "",
              "); give more digits");
}

void AddKillOption(CLI::App& app, std::string& kill) {
  app.add_option("--kill", kill,
                 "Judge by another kill rule than the campaign's: top1, topk:K, output:TOLERANCE, "
                 "noise, fisher:SIGNIFICANCE, "
                 "accept:max_accuracy_drop=X,max_label_changes=N,max_recall_drop=X, "
                 "accept:command=COMMAND (docs/results.md)");
}

void AddMutantArguments(CLI::App& app, std::string& folder, std::string& mutant) {
  app.add_option("DIR", folder, "The campaign's folder")->required();
  app.add_option("MUTANT", mutant,
                 "The mutant's id, or as many of its first digits as make it unique")
      ->required();
}

Status PrintSummary(const CampaignView& view) {
  const Report* summary = FindReport("summary");
  CHECK(summary != nullptr, "the report `summary` exists");
  return summary->write(view, "-");
}

Status PrintSummary(const std::string& folder) {
  OpenCampaign open = TRY(OpenToRead(folder));
  return PrintSummary(open.view);
}

int StatusOf(const CampaignOutcome& outcome, const std::string& again) {
  if (outcome.interrupted) {
    std::fprintf(stderr, "mutatenn: stopped; go on with: %s\n", again.c_str());
    return kExitInterrupted;
  }
  if (outcome.left_pending > 0) {
    std::fprintf(stderr, "mutatenn: %d mutants are left pending (%s); run them with: %s\n",
                 outcome.left_pending, outcome.pending_reason.c_str(), again.c_str());
    return ExitStatus(Code::kUnavailable);
  }
  return 0;
}

}  // namespace mutatenn
