// `mutatenn devices`: who answers at each device of a configuration, and how fast; with --noise or
// from a campaign's folder, what its original is like there; with --check, a few mutants too.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/scratch_folder.h"
#include "campaign/repeats.h"
#include "campaign/sessions.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

constexpr int kCalls = 20;
constexpr int kCheckMutants = 10;

// Each server of a device as a device of its own, so that each has a line.
std::vector<DeviceConfig> Servers(const DeviceConfig& device) {
  if (!device.session.contains("servers")) return {device};
  std::vector<DeviceConfig> servers;
  for (const Json& server : device.session["servers"]) {
    servers.push_back(device);
    servers.back().session["servers"] = Json::array({server});
  }
  return servers;
}

std::string Place(const Json& session) {
  std::string kind = session.at("kind");
  if (kind == "remote") return session.at("servers")[0];
  if (kind == "tracker")
    return fmt::format("{} at {}", session.at("key").get<std::string>(),
                       session.at("tracker").get<std::string>());
  return kind;
}

class DevicesCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("CONFIG", config_, "The campaign's configuration")->required();
    app.add_flag("--check", check_,
                 "Also run the original several times and ten mutants on every device, in a folder "
                 "that is removed, and compare");
    app.add_flag("--noise", noise_,
                 "Also run the original several times on every device, and in other legal code, in "
                 "a folder that is removed: repeat noise, rounding floor, time an image");
    app.add_option("--out", out_,
                   "Show what was measured of the originals in this campaign's folder");
  }

  Result<int> Run(const GlobalOptions& global) override {
    Config config = TRY(ReadConfig(config_, RegisteredOperators()));
    bool all = true;
    for (const DeviceConfig& device : config.devices)
      for (const DeviceConfig& server : Servers(device)) {
        Result<std::string> line = Line(server);
        all &= line.ok();
        fmt::print("{}  {}  {}\n", device.name, Place(server.session),
                   line.ok() ? *line : "not there: " + line.error().message);
      }
    if (!out_.empty()) {
      std::unique_ptr<Store> store = TRY(Store::OpenReadOnly(StorePath(out_)));
      for (const DeviceConfig& device : config.devices) TRY(PrintNoise(*store, config, device));
    }
    if (!all) return ExitStatus(Code::kUnavailable);
    if (noise_ && !check_) return Noise(std::move(config), global);
    if (!check_) return 0;
    return Check(std::move(config), global);
  }

 private:
  static Result<std::string> Line(const DeviceConfig& device) {
    std::unique_ptr<Session> session = TRY(OpenSession(device, ""));
    WorkerHello hello = TRY(session->Hello());
    double start_s = SecondsNow();
    for (int i = 0; i < kCalls; ++i) TRY(session->Hello());
    std::string line = fmt::format("{}, {}, TVM {}, {:.2f} ms a call", hello.machine, hello.cpu,
                                   hello.tvm_version, (SecondsNow() - start_s) * 1000 / kCalls);
    const Result<WorkerSpeed> speed = session->Speed();
    if (speed.ok())
      line += fmt::format("; a core of this CPU: {:.1f} GFLOP/s, copies {:.1f} GB/s", speed->gflops,
                          speed->copy_gb_s);
    else if (speed.error().code != Code::kUnsupported)
      return speed.error();
    return line;
  }

  // What a campaign's store holds of the originals on a device.
  static Status PrintNoise(Store& store, const Config& config, const DeviceConfig& device) {
    for (const StoredDevice& row : TRY(store.Devices()))
      if (row.name == device.name && !row.cpu.empty())
        fmt::print("{}: {}, TVM {}\n", device.name, row.cpu, row.tvm_version);
    for (const ModelConfig& model : config.models) {
      int images = 0, runs = 0, unstable = 0;
      double noise = 0, floor = 0, magnitude = 0;
      for (const StoredRepeat& row : TRY(store.Repeats(model.name))) {
        if (row.device != device.name) continue;
        ++images;
        runs = std::max(runs, row.runs);
        for (const Json& value : TRY(ParseJson(row.spread_json, "the stored spread")))
          noise = LargerOrNaN(noise, value.is_number() ? value.get<double>() : NAN);
        const Json labels = TRY(ParseJson(row.labels_json, "the stored labels"));
        unstable += std::any_of(labels.begin(), labels.end(),
                                [&](const Json& label) { return label != labels[0]; });
      }
      if (images == 0) {
        fmt::print("{}: the original of {} was not run\n", device.name, model.name);
        continue;
      }
      bool floors = false;
      for (const StoredFloor& row : TRY(store.Floors(model.name, device.name))) {
        if (!row.step.empty()) continue;
        floors = true;
        floor = LargerOrNaN(floor, row.floor);
        magnitude = std::max(magnitude, row.magnitude);
      }
      std::vector<double> seconds;
      for (const StoredOriginal& row : TRY(store.Originals(model.name)))
        if (row.device == device.name) seconds.push_back(row.seconds);
      std::sort(seconds.begin(), seconds.end());
      fmt::print(
          "{}: {}: repeat noise {:.3g} over {} runs of {} images, {} of them unstable; {}; "
          "{:.3g} ms an image\n",
          device.name, model.name, noise, runs, images, unstable,
          floors ? fmt::format("rounding floor {:.3g} of outputs up to {:.3g}", floor, magnitude)
                 : "no rounding floor was measured",
          seconds.empty() ? 0 : seconds[seconds.size() / 2] * 1000);
    }
    return Ok();
  }

  // A campaign without mutants.
  static Result<int> Noise(Config config, const GlobalOptions& global) {
    ScratchFolder folder = TRY(ScratchFolder::Make("noise"));
    config.operators.clear();
    Progress progress = Progress::ForStderr(global.verbosity);
    Result<CampaignOutcome> outcome =
        RunCampaign(config, {.out = folder.path()}, RealParts(), progress);
    progress.End();
    TRY(std::move(outcome));
    std::unique_ptr<Store> store = TRY(Store::OpenReadOnly(StorePath(folder.path())));
    for (const DeviceConfig& device : config.devices) TRY(PrintNoise(*store, config, device));
    return 0;
  }

  // A campaign of ten mutants: all of the way that a real one takes.
  static Result<int> Check(Config config, const GlobalOptions& global) {
    ScratchFolder folder = TRY(ScratchFolder::Make("check"));
    config.max_mutants = kCheckMutants;
    Progress progress = Progress::ForStderr(global.verbosity);
    Result<CampaignOutcome> outcome =
        RunCampaign(config, {.out = folder.path()}, RealParts(), progress);
    progress.End();
    return Summary(config, TRY(std::move(outcome)), folder.path());
  }

  static Result<int> Summary(const Config& config, const CampaignOutcome& outcome,
                             const std::string& folder) {
    std::unique_ptr<Store> store = TRY(Store::OpenReadOnly(StorePath(folder)));
    bool good = outcome.left_pending == 0 && !outcome.interrupted;
    for (const ModelConfig& model : config.models)
      for (const DeviceConfig& device : config.devices) {
        std::string finding = TRY(FindingOf(*store, model.name, device.name));
        good &= finding.empty();
        fmt::print(
            "{}: {} fates of mutants; {}\n", device.name,
            TRY(store->Fates(model.name, device.name)).size(),
            finding.empty() ? "the original of " + model.name + " is as it should be" : finding);
      }
    for (const DeviceConfig& device : config.devices) TRY(PrintNoise(*store, config, device));
    if (!outcome.pending_reason.empty()) fmt::print("{}\n", outcome.pending_reason);
    return good ? 0 : ExitStatus(Code::kUnavailable);
  }

  std::string config_, out_;
  bool check_ = false, noise_ = false;
};

SUBCOMMAND(DevicesCommand, .name = "devices", .order = 9,
           .summary = "List the devices of a configuration with what answers there");

}  // namespace
}  // namespace mutatenn
