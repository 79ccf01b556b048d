// `mutatenn points` for CPUs and GPUs at a time, on a machine that need have neither compiler nor
// device of theirs: code points are the same for all, lowered ones their target's.
#include <gmock/gmock.h>

#include <map>
#include <sstream>

#include "support/run.h"

namespace mutatenn {
namespace {

Json Devices(const std::vector<Json>& targets) {
  Json devices = Json::array();
  for (const Json& target : targets)
    devices.push_back({{"name", "device" + std::to_string(devices.size())}, {"target", target}});
  return devices;
}

// operator -> kind of target ("" = every target) -> points.
using Counts = std::map<std::string, std::map<std::string, int>>;

Counts CountsOf(const std::string& campaign) {
  const RunResult run = Mutatenn({"points", campaign, "--counts", "--json"});
  EXPECT_EQ(run.status, 0) << run.err;
  Counts counts;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    const Json json = ParseJson(line, "points").value();
    const std::string target = json["target"];
    const std::string op = json["operator"];
    counts[op.substr(0, op.find(' '))][target.substr(0, target.find(':'))] = json["points"];
  }
  return counts;
}

TEST(AcceleratorPoints, AreListedByTargetWithNoDevice) {
  Scratch scratch;
  const std::vector<Json> targets = {{{"kind", "llvm"}, {"mcpu", "x86-64"}},
                                     {{"kind", "llvm"}, {"mtriple", "aarch64-linux-gnu"}},
                                     "opencl",
                                     {{"kind", "cuda"}, {"arch", "sm_90"}}};
  const std::string all = MakeTinyCampaign(
      scratch.path, {{"devices", Devices(targets)}, {"operators", {"all"}}, {"max_mutants", 0}});
  const Counts counts = CountsOf(all);
  ASSERT_GT(counts.size(), 50u);
  for (const auto& [op, by_target] : counts) {
    if (op.starts_with("lowered.") || op.starts_with("build.")) continue;
    EXPECT_EQ(by_target.size(), 1u) << op;
    EXPECT_TRUE(by_target.contains("")) << op;
  }
  for (const char* op : {"lowered.loop", "lowered.store_value", "lowered.condition"})
    for (const char* target : {"x86-64", "llvm", "opencl", "cuda"})
      EXPECT_GT(counts.at(op).contains(target) ? counts.at(op).at(target) : 0, 0) << op << target;
  for (const char* op : {"lowered.thread_extent", "lowered.thread_swap", "lowered.barrier",
                         "lowered.shared_index"}) {
    EXPECT_FALSE(counts.at(op).contains("x86-64")) << op;
    for (const char* target : {"opencl", "cuda"})
      EXPECT_GT(counts.at(op).contains(target) ? counts.at(op).at(target) : 0, 0) << op << target;
  }

  // What names no target does not depend on which there are.
  const std::string one = MakeTinyCampaign(
      scratch.path,
      {{"devices", Devices({targets[0]})}, {"operators", {"all"}}, {"max_mutants", 0}});
  for (const auto& [op, by_target] : CountsOf(one)) {
    if (op.starts_with("lowered.") || op.starts_with("build.")) continue;
    EXPECT_EQ(counts.at(op), by_target) << op;
  }
}

}  // namespace
}  // namespace mutatenn
