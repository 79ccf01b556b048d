// `mutatenn devices`: who answers at each device of a configuration, and how fast; with --check,
// what the original and a few mutants do there.
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
    if (!all) return ExitStatus(Code::kUnavailable);
    if (!check_) return 0;
    return Check(std::move(config), global);
  }

 private:
  static Result<std::string> Line(const DeviceConfig& device) {
    std::unique_ptr<Session> session = TRY(OpenSession(device, ""));
    WorkerHello hello = TRY(session->Hello());
    double start_s = SecondsNow();
    for (int i = 0; i < kCalls; ++i) TRY(session->Hello());
    return fmt::format("{}, {}, TVM {}, {:.2f} ms a call", hello.machine, hello.cpu,
                       hello.tvm_version, (SecondsNow() - start_s) * 1000 / kCalls);
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
    if (!outcome.pending_reason.empty()) fmt::print("{}\n", outcome.pending_reason);
    return good ? 0 : ExitStatus(Code::kUnavailable);
  }

  std::string config_;
  bool check_ = false;
};

SUBCOMMAND(DevicesCommand, .name = "devices", .order = 9,
           .summary = "List the devices of a configuration with what answers there");

}  // namespace
}  // namespace mutatenn
