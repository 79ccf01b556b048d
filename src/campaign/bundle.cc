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

Result<int> ImportResults(const std::string& folder, const std::string& file) {
  Opened opened = TRY(OpenBuilt(folder));
  Store& store = *opened.store;
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) return Fail(Code::kNotFound, file, ": no such file, or empty");
  Json head = TRY(ParseJson(line, file));
  if (!head.is_object() || head.value("campaign", "") != opened.campaign)
    return Fail(Code::kInvalidInput, file, ": holds results of another campaign than ", folder);
  const DeviceConfig& device = *TRY(FindDevice(opened.config, head.value("device", ""), folder));
  std::map<std::pair<std::string, std::string>, std::string> known;  // (model, image) -> top
  for (const ModelConfig& model : opened.config.models)
    for (const StoredOriginal& original : TRY(store.Originals(model.name)))
      if (original.device == device.name) known[{model.name, original.image}] = original.top_json;
  int count = 0;
  while (std::getline(in, line) && !in.eof()) {
    Json entry = TRY(ParseJson(line, file));
    const std::string model = entry.value("model", "");
    if (entry.contains("original")) {
      OriginalRun run = TRY(OriginalRunFromJson(entry["original"]));
      std::string top = DumpJson(TopToJson(run.top));
      auto [before, fresh] = known.emplace(std::pair(model, run.image), top);
      if (before->second != top)
        return Fail(Code::kUnsupported, file, ": the original gave another result on ", run.image,
                    " than before; is this the same device?");
      if (fresh) TRY(store.PutOriginals({{model, device.name, run.image, top, run.seconds}}));
    } else if (entry.contains("done")) {
      const auto [fates, outside] =
          StoredForm(model, device.name, TRY(MutantDoneFromJson(entry["done"])));
      TRY(store.PutFates(fates, outside));
      count += static_cast<int>(fates.size());
    }
  }
  TRY(store.AddEvent("results imported", fmt::format("{} of {}, {}", count, device.name,
                                                     HashBytes(TRY(ReadFile(file))))));
  if (device.name == opened.config.devices.front().name) {
    Progress quiet({.verbosity = Verbosity::kQuiet});
    CampaignParts parts;
    CampaignContext context{opened.config, parts, store, quiet, fs::path(folder)};
    for (const ModelConfig& model : opened.config.models)
      TRY(FixImageOrder(context, model.name, device.name));
  }
  return count;
}

}  // namespace mutatenn
