// The store to a folder of files packed by tar, and lines of results to the store.
#include "campaign/bundle.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/process.h"
#include "campaign/bitwise.h"
#include "campaign/floors.h"
#include "campaign/steps.h"
#include "device/bundle.h"
#include "device/file_names.h"
#include "device/remote.h"
#include "device/wire.h"
#include "device/worker_files.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kPack_s = 3600;
constexpr const char* kRun = R"sh(#!/bin/sh
# Runs the bundle; interrupted, the same command goes on. Bring results.jsonl home.
# A relative name of the results is one in this folder.
cd "$(dirname "$0")" || exit 2
LD_LIBRARY_PATH="$PWD/bin" exec bin/mutatenn-worker run . --out "${1:-results.jsonl}"
)sh";

struct Opened {
  std::unique_ptr<Store> store;
  Config config;
  std::string campaign;
};

Result<Opened> OpenBuilt(const std::string& folder) {
  if (!fs::exists(StorePath(folder))) return Fail(Code::kNotFound, folder, ": holds no campaign");
  Opened opened;
  opened.store = TRY(Store::Open(StorePath(folder)));
  std::optional<std::string> text = TRY(opened.store->Meta(meta::kConfiguration));
  if (!text) return Fail(Code::kInvalidInput, folder, ": was not built to its end");
  opened.config = TRY(ConfigFromStore(TRY(ParseJson(*text, folder))));
  opened.campaign = TRY(opened.store->Meta(meta::kCampaign)).value_or("");
  return opened;
}

Result<const DeviceConfig*> FindDevice(const Config& config, const std::string& name,
                                       const std::string& folder) {
  std::vector<std::string> names;
  for (const DeviceConfig& device : config.devices) {
    if (device.name == name || (name.empty() && config.devices.size() == 1)) return &device;
    names.push_back(device.name);
  }
  return Fail(Code::kInvalidInput, folder, ": has no device '", name,
              fmt::format("'; name one of '{}'", fmt::join(names, "', '")));
}

// A folder that disappears, holding what is to be packed.
class Staging {
 public:
  explicit Staging(const std::string& beside) : path_(beside + ".staging") {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Status CopyWorker(const std::string& from, const std::string& kind, const fs::path& to) {
  for (const auto& [name, file] : TRY(WorkerFiles(from, kind))) TRY(LinkOrCopy(file, to / name));
  return Ok();
}

Result<BundlePart> MakePart(const Opened& opened, const DeviceConfig& device, int target,
                            const std::string& model, const BundleOptions& options,
                            const NameFile& name) {
  Store& store = *opened.store;
  BundlePart part{.model = model};
  for (const StoredProgram& program : TRY(store.Programs()))
    if (program.model == model && program.target_index == target)
      part.request.program =
          TRY(ProgramFromJson(TRY(ParseJson(program.program_json, "the stored program"))));
  TRY(RenameFiles(part.request.program, name));
  part.request.memory_budget_bytes = device.memory_budget_mb << 20;
  part.request.jobs = device.jobs;
  part.request.top_k = opened.config.top_k;
  part.request.limits.factor = opened.config.timeout_factor;
  part.request.limits.floor_s = opened.config.timeout_floor_s;
  part.order_fixed = true;
  for (const StoredImage& image : TRY(store.Images(model))) {
    const std::vector<std::string>& asked = options.images;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), image.name) == asked.end())
      continue;
    part.images.push_back({image.name, TRY(name(image.input_file))});
    part.order_fixed &= image.position >= 0;
  }
  if (options.mutant.empty()) {
    part.before = {opened.config.repeats, std::nullopt, opened.config.floors,
                   !device.bitwise.empty()};
    if (opened.config.floors > 0) part.before.floors = TRY(FloorsOf(store, model, target));
    if (part.before.floors) TRY(RenameFiles(*part.before.floors, name));
  }
  std::set<std::string> selected;
  for (const StoredMutant& mutant : TRY(store.Mutants(model)))
    if (mutant.selected && (options.mutant.empty() || options.mutant == mutant.id))
      selected.insert(mutant.id);
  const std::string matrix = TRY(store.Meta(meta::kMatrix)).value_or(opened.config.matrix);
  for (const StoredBuild& row : TRY(store.Builds(model))) {
    if (row.target_index != target || row.state != "ok" || !selected.contains(row.mutant)) continue;
    std::optional<StoredBuild> build = TRY(store.Build(model, row.mutant, target));
    MutantJob job;
    job.program =
        TRY(MutantProgramFromJson(TRY(ParseJson(build->program_json, "the stored build"))));
    TRY(RenameFiles(job.program, name));
    job.stop_at_kill = matrix != "full" && options.mutant.empty();
    job.full_timing = opened.config.timing == "full";
    part.jobs.push_back(std::move(job));
  }
  return part;
}

}  // namespace

Status WriteBundle(const BundleOptions& options) {
  Opened opened = TRY(OpenBuilt(options.folder));
  const DeviceConfig& device = *TRY(FindDevice(opened.config, options.device, options.folder));
  int target = -1;
  for (const StoredDevice& stored : TRY(opened.store->Devices()))
    if (stored.name == device.name) target = stored.target_index;
  Staging staging(options.file);
  for (const char* folder : {"files", "bin"}) TRY(MakeDirectories(staging.path() / folder));
  std::map<std::string, std::string> names;
  NameFile name = [&](const std::string& file) -> Result<std::string> {
    auto known = names.find(file);
    if (known != names.end()) return known->second;
    const fs::path path = fs::path(options.folder) / file;
    std::string there = ContentName(file, TRY(ReadFile(path)));
    TRY(LinkOrCopy(path, staging.path() / "files" / there));
    return names[file] = there;
  };
  Bundle bundle{opened.campaign, device.name, {}, options.replay};
  for (const ModelConfig& model : opened.config.models) {
    if (!options.model.empty() && options.model != model.name) continue;
    if (!TRY(opened.store->Meta(meta::Built(model.name))))
      return Fail(Code::kInvalidInput, options.folder, ": '", model.name,
                  "' was not built to its end; run `mutatenn build` again");
    bundle.parts.push_back(TRY(MakePart(opened, device, target, model.name, options, name)));
  }
  TRY(WriteFile(staging.path() / "bundle.json", DumpJson(ToJson(bundle))));
  const Json kind = TRY(ParseJson(bundle.parts.at(0).request.program.target, "the target"));
  TRY(CopyWorker(options.worker, kind.value("kind", ""), staging.path() / "bin"));
  TRY(WriteFile(staging.path() / "run.sh", kRun));
  fs::permissions(staging.path() / "run.sh",
                  fs::perms::owner_all | fs::perms::group_read | fs::perms::others_read);
  ProcessOptions tar;
  tar.command = {
      "tar", "--zstd", "-cf", fs::absolute(options.file).string(), "-C", staging.path().string(),
      "."};
  tar.socket = false;
  std::unique_ptr<Process> process = TRY(Process::Start(tar));
  if (TRY(process->Wait(kPack_s)) == 0)
    return opened.store->AddEvent(
        "bundle", fmt::format("{} for {}, {}", fs::path(options.file).filename().string(),
                              device.name, HashBytes(TRY(ReadFile(options.file)))));
  return Fail(Code::kIo, options.file,
              ": cannot be packed (tar and zstd are needed): ", process->LastOutput(2));
}

namespace {

// A results file, line by line; the first is its head.
Status EachLine(const std::string& file, const std::function<Status(const Json&)>& visit) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) return Fail(Code::kNotFound, file, ": no such file, or empty");
  do {
    TRY(visit(TRY(ParseJson(line, file))));
  } while (std::getline(in, line) && !in.eof());
  return Ok();
}

// Of one model: what the file says of its original.
struct ImportedOriginal {
  std::vector<StoredOriginal> runs;
  std::vector<ImageRepeats> repeats;
  std::vector<StepFloor> floors;
  std::vector<ImageHashes> hashes;
};

Result<std::map<std::string, ImportedOriginal>> ReadOriginals(const std::string& file,
                                                              const std::string& device) {
  std::map<std::string, ImportedOriginal> originals;
  TRY(EachLine(file, [&](const Json& entry) -> Status {
    const std::string model = entry.value("model", "");
    ImportedOriginal& original = originals[model];
    if (entry.contains("original")) {
      const OriginalRun run = TRY(OriginalRunFromJson(entry["original"]));
      original.runs.push_back(
          {model, device, run.image, DumpJson(TopToJson(run.top)), run.seconds});
    } else if (entry.contains("repeats")) {
      original.repeats.push_back(TRY(ImageRepeatsFromJson(entry["repeats"])));
    } else if (entry.contains("floors")) {
      original.floors = TRY(FloorsFromJson(entry["floors"]));
    } else if (entry.contains("hashes")) {
      for (ImageHashes& image : TRY(ImageHashesFromJson(entry["hashes"])))
        original.hashes.push_back(std::move(image));
    }
    return Ok();
  }));
  originals.erase("");  // the head's
  return originals;
}

// What the store lacks, as a session's would be stored.
Status StoreOriginal(const Opened& opened, const std::string& model, const DeviceConfig& device,
                     const std::string& file, ImportedOriginal original) {
  Store& store = *opened.store;
  std::map<std::string, std::string> known;
  for (const StoredOriginal& row : TRY(store.Originals(model)))
    if (row.device == device.name) known[row.image] = row.top_json;
  std::set<std::string> repeated, noisy;
  for (const StoredRepeat& row : TRY(store.Repeats(model))) {
    if (row.device != device.name) continue;
    repeated.insert(row.image);
    if (IsNoisy(row)) noisy.insert(row.image);
  }
  const std::string& first = opened.config.devices.front().name;
  std::set<std::string> referenced;
  for (const StoredReferenceOutput& row : TRY(store.ReferenceOutputs(model)))
    referenced.insert(row.image);
  std::erase_if(original.repeats,
                [&](const ImageRepeats& r) { return repeated.contains(r.image); });
  for (const ImageRepeats& image : original.repeats)
    if (device.name != first && !referenced.contains(image.image))
      return Fail(Code::kInvalidInput, file, ": what the original gave on ", device.name,
                  " is compared with what it gives on '", first, "', which has not run; run ",
                  "that first (mutatenn execute DIR --device ", first, ") or import its results");
  TRY(StoreRepeats(store, model, device.name, device.name == first, original.repeats));
  if (TRY(store.Floors(model, device.name)).empty())
    TRY(StoreFloors(store, model, device.name, original.floors));
  if (TRY(store.StepHashes(model, device.name)).empty())
    TRY(StoreHashes(store, model, device.name, original.hashes));
  for (const StoredOriginal& run : original.runs) {
    const auto before = known.find(run.image);
    if (before == known.end())
      TRY(store.PutOriginals({run}));
    else if (before->second != run.top_json && !noisy.contains(run.image))
      return Fail(Code::kUnsupported, file, ": the original gave another result on ", run.image,
                  " than before; is this the same device?");
  }
  return Ok();
}

// The findings about the device's originals; new ones become events.
Result<std::vector<std::string>> Findings(const Opened& opened, const DeviceConfig& device) {
  const auto events = TRY(opened.store->Events());
  std::vector<std::string> findings;
  for (const ModelConfig& model : opened.config.models) {
    if (std::string text = TRY(FindingOf(*opened.store, model.name, device.name)); !text.empty())
      findings.push_back(std::move(text));
    for (std::string& text : TRY(BitwiseFindings(*opened.store, opened.config, model.name)))
      findings.push_back(std::move(text));
  }
  for (const std::string& finding : findings)
    if (std::find(events.begin(), events.end(), std::pair(std::string("finding"), finding)) ==
        events.end())
      TRY(opened.store->AddEvent("finding", finding));
  return findings;
}

}  // namespace

Result<ImportedResults> ImportResults(const std::string& folder, const std::string& file) {
  Opened opened = TRY(OpenBuilt(folder));
  Store& store = *opened.store;
  std::string line;
  std::ifstream in(file);
  if (!std::getline(in, line)) return Fail(Code::kNotFound, file, ": no such file, or empty");
  in.close();
  const Json head = TRY(ParseJson(line, file));
  if (!head.is_object() || head.value("campaign", "") != opened.campaign)
    return Fail(Code::kInvalidInput, file, ": holds results of another campaign than ", folder);
  const DeviceConfig& device = *TRY(FindDevice(opened.config, head.value("device", ""), folder));
  for (auto& [model, original] : TRY(ReadOriginals(file, device.name)))
    TRY(StoreOriginal(opened, model, device, file, std::move(original)));
  ImportedResults imported;
  TRY(EachLine(file, [&](const Json& entry) -> Status {
    if (!entry.contains("done")) return Ok();
    const auto [fates, outside] =
        StoredForm(entry.value("model", ""), device.name, TRY(MutantDoneFromJson(entry["done"])));
    imported.fates += static_cast<int>(fates.size());
    return store.PutFates(fates, outside);
  }));
  TRY(store.AddEvent("results imported", fmt::format("{} of {}, {}", imported.fates, device.name,
                                                     HashBytes(TRY(ReadFile(file))))));
  imported.findings = TRY(Findings(opened, device));
  if (device.name == opened.config.devices.front().name) {
    Progress quiet({.verbosity = Verbosity::kQuiet});
    CampaignParts parts;
    CampaignContext context{opened.config, parts, store, quiet, fs::path(folder)};
    for (const ModelConfig& model : opened.config.models)
      TRY(FixImageOrder(context, model.name, device.name));
  }
  return imported;
}

}  // namespace mutatenn
