// The campaign as one straight list of steps.
#include "campaign/campaign.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "campaign/bitwise.h"
#include "campaign/floors.h"
#include "campaign/sessions.h"
#include "campaign/steps.h"
#include "tvm/libraries.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

// A folder we can write to, made if it does not exist.
Status PrepareFolder(const std::string& out) {
  std::error_code error;
  fs::file_status status = fs::status(out, error);
  if (fs::exists(status) && !fs::is_directory(status)) {
    return Fail(Code::kInvalidInput, out, ": is a file; --out names a folder");
  }
  TRY(MakeDirectories(out));
  if (::access(out.c_str(), W_OK | X_OK) != 0) {
    return Fail(Code::kIo, out, ": cannot be written to (", std::strerror(errno),
                "); choose another --out or change its permissions");
  }
  return Ok();
}

fs::path Absolute(const std::string& folder) { return fs::absolute(folder).lexically_normal(); }

Status TellBitwise(CampaignContext& context, const std::string& model) {
  for (const std::string& finding : TRY(BitwiseFindings(context.store, context.config, model)))
    TRY(TellFinding(context, finding));
  return Ok();
}

// The device whose session is still open comes first, so that it need not be opened again.
Status RunAllMutants(CampaignContext& context, const std::string& model,
                     std::vector<const DeviceConfig*> devices) {
  std::stable_partition(devices.begin(), devices.end(), [&](const DeviceConfig* device) {
    return context.kept && context.kept->Is(model, device->name);
  });
  for (const DeviceConfig* device : devices) TRY(RunMutants(context, model, *device));
  return TellBitwise(context, model);
}

enum class Phase { kBuild, kRun };

// What ran this campaign, for its audit: hashes of the program and of TVM, the command line.
Status RecordCommand(CampaignContext& context) {
  if (context.parts.command.empty()) return Ok();
  TRY(context.store.SetMeta(meta::kToolHash, HashBytes(TRY(ReadFile("/proc/self/exe")))));
  if (!TRY(context.store.Meta(meta::kTvmHashes)))
    TRY(context.store.SetMeta(meta::kTvmHashes, DumpJson(TRY(TvmLibraryHashes()))));
  return context.store.AddEvent("command", context.parts.command);
}

// This process's arguments, those with blanks in them quoted.
std::string CommandLine() {
  Result<std::string> text = ReadFile("/proc/self/cmdline");
  std::string line, word;
  for (char c : text.ok() ? *text : std::string()) {
    if (c != '\0') {
      word += c;
      continue;
    }
    const bool quoted = word.empty() || word.find_first_of(" \t\n'\"$") != std::string::npos;
    line += (line.empty() ? "" : " ") + (quoted ? "'" + word + "'" : word);
    word.clear();
  }
  return line;
}

Status Steps(CampaignContext& context, const CampaignOptions& options, Phase phase) {
  const Config& config = context.config;
  {
    AddSeconds timer(context.outcome.stats.images_s);
    if (phase == Phase::kRun) OpenEarly(context);
    FoundImages found = TRY(FindImages(config));
    TRY(CheckSameCampaign(context, found, options.complete));
    TRY(RecordCampaign(context, found, options.complete));
    TRY(RecordCommand(context));
    for (const ModelConfig& model : config.models) TRY(PrepareImages(context, model, found));
  }
  for (const ModelConfig& model : config.models) {
    ModelBuild build = TRY(ImportModel(context, model));
    for (const DeviceConfig& device : config.devices) {
      const int target = context.target_of_device.at(device.name);
      TRY(BuildVariants(context, build, target));
      // The worker runs the original while the compile server builds the device's mutants.
      if (phase == Phase::kRun && build.generator != nullptr)
        TRY(StartOriginals(context, model.name, device));
      TRY(BuildMutants(context, build, target));
      if (phase == Phase::kBuild) continue;
      AddSeconds timer(context.outcome.stats.run_s);
      TRY(RunOriginals(context, model.name, device));
    }
    // Those of devices that an earlier configuration had.
    while (!build.targets.empty()) TRY(BuildMutants(context, build, *build.targets.begin()));
    if (phase == Phase::kBuild) continue;
    AddSeconds timer(context.outcome.stats.run_s);
    TRY(FixImageOrder(context, model.name, config.devices.front().name));
    // All that is known of the devices before is stored by now, whatever the mutants do.
    std::vector<const DeviceConfig*> all;
    for (const DeviceConfig& device : config.devices) all.push_back(&device);
    TRY(RunAllMutants(context, model.name, all));
  }
  return Ok();
}

// A stop that the user asked for is an outcome, not an error.
Result<CampaignOutcome> Finish(CampaignContext& context, const Status& status) {
  context.progress.End();
  context.kept.reset();  // adds its figures
  context.opened = {};
  CampaignStats& stats = context.outcome.stats;
  stats.wall_s = SecondsNow() - context.started_s;
  stats.store_s = context.store.busy_s();
  stats.jobs = context.config.jobs;
  for (const DeviceConfig& device : context.config.devices)
    stats.jobs = std::max(stats.jobs, device.jobs);
  std::error_code ignored;
  fs::remove_all(context.root / "scratch", ignored);
  if (!status.ok()) {
    if (!context.parts.interrupted()) return status.error();
    context.outcome.interrupted = true;
  }
  return context.outcome;
}

Result<CampaignOutcome> Start(const Config& config, const CampaignOptions& options,
                              const CampaignParts& parts, Progress& progress, Phase phase) {
  TRY(PrepareFolder(options.out));
  std::unique_ptr<Store> store = TRY(parts.open_store(StorePath(options.out)));
  CampaignContext context{
      config, parts, *store, progress, Absolute(options.out), options.slow_oracle};
  return Finish(context, Steps(context, options, phase));
}

volatile std::sig_atomic_t stop_requested = 0;

}  // namespace

Status TellFinding(CampaignContext& context, const std::string& finding) {
  context.progress.Warn(finding);
  const auto known = TRY(context.store.Events());
  if (std::find(known.begin(), known.end(), std::pair(std::string("finding"), finding)) !=
      known.end())
    return Ok();
  return context.store.AddEvent("finding", finding);
}

CampaignParts RealParts() {
  CampaignParts parts;
  parts.open_store = Store::Open;
  parts.start_generator = StartGenerator;
  parts.command = CommandLine();
  parts.open_session = OpenSession;
  parts.sleep = [](double seconds) {
    timespec wait{static_cast<time_t>(seconds),
                  static_cast<long>((seconds - static_cast<time_t>(seconds)) * 1e9)};
    ::nanosleep(&wait, nullptr);
  };
  // The first Ctrl-C stops at the next transaction; the second one ends the program as usual.
  struct sigaction action = {};
  action.sa_handler = [](int) {
    stop_requested = 1;
    static constexpr char kLine[] =
        "\nmutatenn: stopping; once more to stop at once (nothing stored is lost)\n";
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, kLine, sizeof kLine - 1);
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  parts.interrupted = [] { return stop_requested != 0; };
  return parts;
}

Status CheckInterrupted(const CampaignContext& context) {
  if (context.parts.interrupted()) return Fail(Code::kUnavailable, "interrupted");
  if (context.parts.checkpoint) context.parts.checkpoint();
  return Ok();
}

Result<CampaignOutcome> RunCampaign(const Config& config, const CampaignOptions& options,
                                    const CampaignParts& parts, Progress& progress) {
  return Start(config, options, parts, progress, Phase::kRun);
}

Result<CampaignOutcome> BuildCampaign(const Config& config, const CampaignOptions& options,
                                      const CampaignParts& parts, Progress& progress) {
  return Start(config, options, parts, progress, Phase::kBuild);
}

Result<CampaignOutcome> ExecuteCampaign(const std::string& folder, const std::string& device_name,
                                        const CampaignParts& parts, Progress& progress) {
  if (!fs::exists(StorePath(folder))) {
    return Fail(Code::kNotFound, folder, ": holds no campaign; `mutatenn build CONFIG --out ",
                folder, "` makes one");
  }
  std::unique_ptr<Store> store = TRY(parts.open_store(StorePath(folder)));
  std::optional<std::string> text = TRY(store->Meta(meta::kConfiguration));
  if (!text)
    return Fail(Code::kInvalidInput, folder,
                ": was not built to its end; run `mutatenn build` again");
  Config config = TRY(ConfigFromStore(TRY(ParseJson(*text, folder))));
  std::vector<const DeviceConfig*> chosen;
  std::vector<std::string> names;
  for (const DeviceConfig& device : config.devices) {
    names.push_back(device.name);
    if (device_name.empty() || device.name == device_name) chosen.push_back(&device);
  }
  if (chosen.empty()) {
    return Fail(Code::kInvalidInput, "--device: '", device_name, "' is no device of ", folder,
                fmt::format("; it has '{}'", fmt::join(names, "', '")));
  }
  CampaignContext context{config, parts, *store, progress, Absolute(folder)};
  auto steps = [&]() -> Status {
    TRY(RecallCampaign(context));
    TRY(RecordCommand(context));
    for (const ModelConfig& model : config.models) {
      if (!TRY(store->Meta(meta::Built(model.name)))) {
        return Fail(Code::kInvalidInput, folder, ": '", model.name,
                    "' was not built to its end; run `mutatenn build` again");
      }
      // The first device fixes the order of images, so its originals are always needed.
      TRY(RunOriginals(context, model.name, config.devices.front()));
      TRY(FixImageOrder(context, model.name, config.devices.front().name));
      for (const DeviceConfig* device : chosen) TRY(RunOriginals(context, model.name, *device));
      TRY(RunAllMutants(context, model.name, chosen));
    }
    return Ok();
  };
  return Finish(context, steps());
}

}  // namespace mutatenn
