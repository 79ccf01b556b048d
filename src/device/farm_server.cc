// The tracker's answers, a shell's exit status, results of the original.
#include "device/farm_server.h"

#include <algorithm>

#include "base/process.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr double kRecover_s = 300;

}  // namespace

Result<Tracker::Server> FindServer(const Address& tracker, const std::string& key, double wait_s,
                                   const std::function<int()>& ours,
                                   const std::function<bool()>& stop) {
  while (true) {
    Tracker asked = TRY(Tracker::Connect(tracker));
    Result<Tracker::Server> server = asked.Request(key, wait_s, stop);
    if (server.ok() || server.error().code != Code::kTimeout) return server;
    // Those that others use become free; those that we use do not.
    Tracker again = TRY(Tracker::Connect(tracker));
    if (TRY(again.Count(key)) <= ours()) return server;
  }
}

std::string RunRecover(const std::string& command, const std::string& server,
                       const std::string& problem) {
  ProcessOptions options;
  options.command = {"/bin/sh", "-c", command};
  options.environment = {{"MUTATENN_SERVER", server}, {"MUTATENN_PROBLEM", problem}};
  options.socket = false;
  Result<std::unique_ptr<Process>> process = Process::Start(options);
  if (!process.ok()) return "could not be started: " + process.error().message;
  Result<int> status = (*process)->Wait(kRecover_s);
  return status.ok() ? DescribeWaitStatus(*status) : status.error().message;
}

bool SameResult(const OriginalRun& a, const OriginalRun& b) {
  return a.image == b.image && DumpJson(TopToJson(a.top)) == DumpJson(TopToJson(b.top));
}

bool SameResults(const std::vector<OriginalRun>& a, const std::vector<OriginalRun>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameResult);
}

}  // namespace mutatenn
