// `mutatenn run` and `mutatenn build`: from a configuration to a campaign's folder.
#include <cstdio>

#include <fmt/format.h>

#include "base/files.h"
#include "campaign/bundle.h"
#include "cli/campaign_use.h"
#include "cli/live_report.h"

namespace mutatenn {
namespace {

// "1.4 GB", for people.
std::string Bytes(double bytes) {
  for (const char* unit : {"B", "kB", "MB"}) {
    if (bytes < 1000) return fmt::format("{:.0f} {}", bytes, unit);
    bytes /= 1000;
  }
  return fmt::format("{:.1f} GB", bytes);
}

std::string Minutes(double seconds) {
  return seconds < 90 ? fmt::format("{:.0f} s", seconds) : fmt::format("{:.0f} min", seconds / 60);
}

void PrintPreview(const ModelPreview& preview, size_t devices) {
  size_t width = 8;
  for (const StoredOperatorUse& use : preview.uses) width = std::max(width, use.op_key.size());
  fmt::print("{}: {} images on {} devices\n", preview.model, preview.images, devices);
  fmt::print("  {:{}}  {:>8}  {:>8}  {:>8}\n", "OPERATOR", width, "POINTS", "MUTANTS", "SELECTED");
  int points = 0, mutants = 0, selected = 0;
  for (const StoredOperatorUse& use : preview.uses) {
    fmt::print("  {:{}}  {:>8}  {:>8}  {:>8}\n", use.op_key, width, use.points, use.mutants,
               use.selected);
    points += use.points;
    mutants += use.mutants;
    selected += use.selected;
  }
  fmt::print("  {:{}}  {:>8}  {:>8}  {:>8}\n", "all", width, points, mutants, selected);
  fmt::print("  to expect, roughly: {} and {} of disk\n", Minutes(preview.seconds),
             Bytes(preview.disk_bytes));
}

constexpr const char* kHtmlHelp =
    "Write the HTML report into this file, at the end and about once a minute meanwhile";

// With the report rewritten while it runs, where one is asked for.
CampaignParts PartsWith(const std::string& folder, const std::string& html) {
  CampaignParts parts = RealParts();
  if (!html.empty()) parts.checkpoint = LiveReport(folder, html);
  return parts;
}

class CampaignCommand : public Subcommand {
 protected:
  void ConfigureCommon(CLI::App& app) {
    app.add_option("CONFIG", config_, "The campaign's configuration (docs/campaign.schema.json)")
        ->required();
    out_ = app.add_option("--out", options_.out,
                          "The campaign's folder; one that holds this campaign goes on");
    app.add_flag("--slow-oracle", options_.slow_oracle,
                 "Rebuild every kernel, run every step of every image in a new process: slow, and "
                 "the judge of all "
                 "that is fast. Needs a folder of its own");
  }
  std::string Again(const char* command) const {
    return fmt::format("mutatenn {} {} --out {}{}{}", command, config_, options_.out,
                       options_.complete ? " --complete" : "",
                       options_.slow_oracle ? " --slow-oracle" : "");
  }

  std::string config_;
  CampaignOptions options_;
  CLI::Option* out_ = nullptr;
};

class RunCommand : public CampaignCommand {
 public:
  void Configure(CLI::App& app) override {
    ConfigureCommon(app);
    app.add_flag("--dry-run", dry_run_,
                 "Print mutants by operator, time and disk to expect; run nothing");
    app.add_flag("--complete", options_.complete,
                 "Turn `matrix: early` into `full`: run the images left out");
    app.add_flag("--stats", stats_, "Afterwards print where the time went");
    app.add_option("--stats-json", stats_file_, "The same figures into a file, as JSON");
    app.add_option("--html", html_, kHtmlHelp);
  }

  Result<int> Run(const GlobalOptions& global) override {
    // Not by CLI11's excludes(): it prints several in an order that changes from run to run.
    if (dry_run_ && (options_.complete || stats_ || !stats_file_.empty()))
      return Fail(Code::kInvalidInput,
                  "--dry-run runs nothing; leave out --complete, --stats and --stats-json");
    if (!dry_run_ && options_.out.empty())
      return Fail(Code::kInvalidInput, "--out is missing; it names the campaign's folder");
    Config config = TRY(ReadConfig(config_, RegisteredOperators()));
    Progress progress = Progress::ForStderr(global.verbosity);
    if (dry_run_) {
      for (const ModelPreview& preview : TRY(PreviewCampaign(config, RealParts(), progress))) {
        PrintPreview(preview, config.devices.size());
      }
      return 0;
    }
    CampaignOutcome outcome =
        TRY(RunCampaign(config, options_, PartsWith(options_.out, html_), progress));
    if (!html_.empty()) TRY(WriteHtmlReport(options_.out, html_));
    if (!outcome.interrupted) TRY(PrintSummary(options_.out));
    if (stats_) fmt::print("\n{}", StatsTable(outcome.stats));
    if (!stats_file_.empty()) TRY(WriteFile(stats_file_, ToJson(outcome.stats).dump(1) + "\n"));
    return StatusOf(outcome, Again("run"));
  }

 private:
  bool dry_run_ = false, stats_ = false;
  std::string stats_file_, html_;
};

class BuildCommand : public CampaignCommand {
 public:
  void Configure(CLI::App& app) override {
    ConfigureCommon(app);
    out_->required();
    app.add_option(
        "--bundle", bundle_.file,
        "Also pack the work for one device into this .tar.zst, for `mutatenn-worker run` "
        "on a machine of its own");
    app.add_option("--device", bundle_.device, "The bundle's device, where there are several");
    app.add_option("--worker", bundle_.worker,
                   "Folder with mutatenn-worker and its libraries for the bundle's machine, where "
                   "it is another kind than this one");
  }
  Result<int> Run(const GlobalOptions& global) override {
    Config config = TRY(ReadConfig(config_, RegisteredOperators()));
    Progress progress = Progress::ForStderr(global.verbosity);
    CampaignOutcome outcome = TRY(BuildCampaign(config, options_, RealParts(), progress));
    if (!bundle_.file.empty() && !outcome.interrupted) {
      bundle_.folder = options_.out;
      TRY(WriteBundle(bundle_));
    }
    return StatusOf(outcome, Again("build"));
  }

 private:
  BundleOptions bundle_;
};

class ExecuteCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
    app.add_option("--device", device_, "Only this device");
    app.add_option("--html", html_, kHtmlHelp);
  }
  Result<int> Run(const GlobalOptions& global) override {
    Progress progress = Progress::ForStderr(global.verbosity);
    CampaignOutcome outcome =
        TRY(ExecuteCampaign(folder_, device_, PartsWith(folder_, html_), progress));
    if (!html_.empty()) TRY(WriteHtmlReport(folder_, html_));
    return StatusOf(
        outcome, "mutatenn execute " + folder_ + (device_.empty() ? "" : " --device " + device_));
  }

 private:
  std::string folder_, device_, html_;
};

const RegisterSubcommand run{
    {.name = "run",
     .order = 1,
     .summary = "Run a campaign: build, execute, analyze; or go on with one",
     .make = [] { return std::unique_ptr<Subcommand>(new RunCommand); }}};
const RegisterSubcommand build{
    {.name = "build",
     .order = 2,
     .summary = "Import, compile, and build the mutants; needs no device",
     .make = [] { return std::unique_ptr<Subcommand>(new BuildCommand); }}};
const RegisterSubcommand execute{
    {.name = "execute",
     .order = 3,
     .summary = "Run the original and the pending mutants of a built campaign; needs no compiler "
                "and no Python",
     .make = [] { return std::unique_ptr<Subcommand>(new ExecuteCommand); }}};

}  // namespace
}  // namespace mutatenn
