// Runs programs as a user would, and makes the small campaigns that whole-program tests run.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace mutatenn {

struct RunOptions {
  std::map<std::string, std::string> environment;  // added; an empty value unsets
  std::function<bool()> kill_when;                 // asked again and again: SIGKILL once true
  int user = 0;                                    // run as this uid where we are root
  int64_t largest_file = 0;                        // RLIMIT_FSIZE in bytes, 0 = none
  std::function<void(int pid)> while_running;      // called once, right after the start
};
struct RunResult {
  int status = 0;  // exit status; 128 + signal when killed
  std::string out, err;
};
RunResult Run(const std::vector<std::string>& command, const RunOptions& options = {});
// build/bin/mutatenn with arguments.
RunResult Mutatenn(std::vector<std::string> arguments, const RunOptions& options = {});
RunResult Python(const std::string& script, std::vector<std::string> arguments);

std::filesystem::path SourceDirectory();
// ../shared of the checkout; empty where it is absent.
std::filesystem::path SharedDirectory();

// A network of ../shared/models as a campaign configures it, and the accuracy its manifest states.
struct SharedModel {
  Json configuration;  // an entry of `models`
  double top1 = 0;     // on imagenet-100, a fraction
};
SharedModel FindSharedModel(const std::string& file);

// A folder of its own, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  std::filesystem::path path;
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

// Writes a tiny network (two convolutions with batch norm and ReLU6, a depthwise one, a residual
// add, a padded pooling, a dense layer; 10 classes), six images and campaign.json into `folder`;
// `changes` are merged into the configuration (JSON merge patch).
std::string MakeTinyCampaign(const std::filesystem::path& folder,
                             const Json& changes = Json::object());
// The example's configuration with absolute paths, changed, written into `folder`.
std::string MakeExampleCampaign(const std::filesystem::path& folder, const Json& changes);

// `report DIR --json -`, parsed; fails the test where that fails.
Json Report(const std::string& folder);
// The same without what may differ between two runs: times, ids of the run.
Json Comparable(Json report);
// Runs a campaign, with more arguments, and gives its comparable report; fails the test where it
// fails.
Json RunAndReport(const std::string& campaign, const std::string& folder,
                  std::vector<std::string> more = {});
Json LoadJson(const std::string& file);

}  // namespace mutatenn
