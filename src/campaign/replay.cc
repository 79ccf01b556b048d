// From rows of the store to the story of one mutant, and from a replay file to runs beside it.
#include "campaign/replay.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/files.h"
#include "base/process.h"
#include "base/scratch_folder.h"
#include "device/bundle.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kLimit_s = 3600;

std::string WorkerProgram() {
  const char* folder = std::getenv("MUTATENN_BIN_DIR");
  return (folder != nullptr ? fs::path(folder) : ExecutableDirectory()) / "mutatenn-worker";
}

Status RunProgram(std::vector<std::string> command, const std::string& what) {
  ProcessOptions options;
  options.command = std::move(command);
  options.socket = false;
  std::unique_ptr<Process> process = TRY(Process::Start(options));
  if (TRY(process->Wait(kLimit_s)) == 0) return Ok();
  return Fail(Code::kIo, what, ": ", process->LastOutput(2));
}

double ScoreDiff(const std::vector<Ranked>& a, const std::vector<Ranked>& b) {
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double diff =
        a[i].score == b[i].score || (std::isnan(a[i].score) && std::isnan(b[i].score))
            ? 0
            : std::abs(a[i].score - b[i].score);
    largest = std::isnan(diff) ? diff : std::max(largest, diff);
  }
  return largest;
}

bool SameLabel(const std::vector<Ranked>& a, const std::vector<Ranked>& b) {
  return a.empty() == b.empty() && (a.empty() || a[0].label == b[0].label);
}

Result<Bundle> Unpack(const std::string& file, const std::string& folder) {
  if (!fs::is_regular_file(file)) return Fail(Code::kNotFound, file, ": no such file");
  TRY(RunProgram({"tar", "--zstd", "-xf", fs::absolute(file).string(), "-C", folder},
                 file + ": cannot be unpacked (tar and zstd are needed)"));
  const Json json = TRY(ParseJson(TRY(ReadFile(folder + "/bundle.json")), file));
  Bundle bundle = TRY(BundleFromJson(json).With(file));
  if (!bundle.replay.is_object())
    return Fail(Code::kInvalidInput, file,
                ": is a bundle of a whole campaign; `mutatenn-worker run` runs it");
  return bundle;
}

}  // namespace

Result<Json> ReplayOf(const StoredCampaign& campaign, const StoredMutant& mutant,
                      const DeviceConfig& device, const std::vector<std::string>& images) {
  Store& store = *campaign.store;
  auto wanted = [&](const std::string& image) {
    return std::find(images.begin(), images.end(), image) != images.end();
  };
  Json originals = Json::object(), fates = Json::object();
  for (const StoredOriginal& original : TRY(store.Originals(mutant.model)))
    if (original.device == device.name && wanted(original.image))
      originals[original.image] = TRY(ParseJson(original.top_json, "a stored original"));
  for (const StoredFate& fate : TRY(store.FatesOf(mutant.model, mutant.id)))
    if (fate.device == device.name && wanted(fate.image))
      fates[fate.image] = {{"ending", fate.ending},
                           {"top", TRY(ParseJson(fate.top_json, "a stored fate"))},
                           {"dirty_steps", fate.dirty_steps},
                           {"first_step", fate.first_step},
                           {"detail", fate.detail}};
  Json of_device = {{"name", device.name}};
  std::string diff;
  for (const StoredDevice& stored : TRY(store.Devices())) {
    if (stored.name != device.name) continue;
    of_device["target"] = stored.canonical_target;
    of_device["cpu"] = stored.cpu;
    if (const auto build = TRY(store.Build(mutant.model, mutant.id, stored.target_index)))
      diff = build->diff;
  }
  return Json{{"model", mutant.model},
              {"mutant", mutant.id},
              {"operator", mutant.op_id},
              {"place", mutant.place},
              {"device", of_device},
              {"versions",
               {{"tool", TRY(store.Meta("tool_version")).value_or("unknown")},
                {"tvm", TRY(store.Meta("tvm_version")).value_or("unknown")}}},
              {"diff", diff},
              {"originals", originals},
              {"fates", fates}};
}

Result<std::string> ScriptOf(const std::string& file) {
  const ScratchFolder folder = TRY(ScratchFolder::Make("replay"));
  const Bundle bundle = TRY(Unpack(file, folder.path()));
  std::string script = bundle.replay.value("script", "");
  if (!script.empty()) return script;
  return Fail(Code::kUnsupported, file, ": holds no script: ",
              bundle.replay.value("no_script", "written by an older mutatenn"));
}

Result<Replayed> Replay(const std::string& file) {
  const ScratchFolder folder = TRY(ScratchFolder::Make("replay"));
  const Bundle bundle = TRY(Unpack(file, folder.path()));
  const std::string results = folder.path() + "/results.jsonl";
  TRY(RunProgram({WorkerProgram(), "run", folder.path(), "--out", results}, file));
  Replayed replayed{bundle.replay, {}};
  std::map<std::string, OriginalRun> originals;
  std::ifstream in(results);
  for (std::string line; std::getline(in, line);) {
    const Json entry = TRY(ParseJson(line, "the replay's results"));
    if (entry.contains("original")) {
      OriginalRun run = TRY(OriginalRunFromJson(entry["original"]));
      originals[run.image] = std::move(run);
    }
    if (!entry.contains("done")) continue;
    const MutantDone done = TRY(MutantDoneFromJson(entry["done"]));
    if (!done.tool_error.empty()) return Fail(Code::kUnavailable, file, ": ", done.tool_error);
    for (const Fate& fate : done.fates) {
      ReplayedRun run{fate.image, EndingName(fate.ending), originals[fate.image].top, fate.top, "",
                      {}};
      if (const Json& fates = bundle.replay["fates"]; fates.contains(fate.image)) {
        run.stored_ending = fates[fate.image].value("ending", "");
        run.stored_top = TRY(TopFromJson(fates[fate.image]["top"], file));
        run.agrees = run.stored_ending == run.ending && SameLabel(run.top, run.stored_top);
        run.score_diff = ScoreDiff(run.top, run.stored_top);
      }
      replayed.runs.push_back(std::move(run));
    }
  }
  return replayed;
}

}  // namespace mutatenn
