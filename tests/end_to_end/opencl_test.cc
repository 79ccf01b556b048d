// A campaign on a CPU and on OpenCL (PoCL where there is no GPU), and what goes wrong on such a
// device: launches that it refuses, and accesses that end the process that runs it. Skipped where
// there is no OpenCL device.
#include <gmock/gmock.h>
#include <signal.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "store/store.h"
#include "support/run.h"

namespace mutatenn {
namespace {

using testing::HasSubstr;
using testing::Not;

const Json kDevices = {{{"name", "cpu"}, {"target", {{"kind", "llvm"}, {"mcpu", "x86-64"}}}},
                       {{"name", "opencl"}, {"target", "opencl"}}};

bool HasOpenCl() {
  const char* programs = std::getenv("MUTATENN_BIN_DIR");
  std::error_code absent;
  return programs != nullptr &&
         std::filesystem::exists(std::filesystem::path(programs) / "libmutatenn_opencl.so") &&
         !std::filesystem::is_empty("/etc/OpenCL/vendors", absent) && !absent;
}

class OpenClCampaign : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasOpenCl()) GTEST_SKIP() << "no libmutatenn_opencl.so or no OpenCL device";
  }
  Json RunOn(const std::vector<Json>& operators, int mutants, const std::string& matrix,
             std::vector<std::string> more = {}) {
    const std::string campaign = MakeTinyCampaign(scratch_.path, {{"devices", kDevices},
                                                                  {"operators", operators},
                                                                  {"matrix", matrix},
                                                                  {"max_mutants", mutants}});
    return RunAndReport(campaign, scratch_ / ("out" + std::to_string(runs_++)), std::move(more));
  }
  // Verdict -> how many, on the OpenCL device.
  static std::map<std::string, int> Verdicts(const Json& report, const std::string& device) {
    std::map<std::string, int> verdicts;
    for (const Json& mutant : report["models"][0]["mutants"])
      ++verdicts[mutant["devices"][device]["verdict"].get<std::string>()];
    return verdicts;
  }
  Scratch scratch_;
  int runs_ = 0;
};

TEST_F(OpenClCampaign, JudgesAsTheCpuDoesAndAsItsOwnSlowOracle) {
  const std::vector<Json> operators = {
      "graph.activation",
      "code.store_value",
      {{"id", "code.relation"}, {"from", {"lt"}}},
      {{"id", "graph.gaussian_fuzzing"}, {"deviation", 3.0}, {"ratio", 0.5}},
      {{"id", "lowered.thread_extent"}},
      {{"id", "lowered.barrier"}}};
  const Json fast = RunOn(operators, 30, "full");
  const Json slow = RunOn(operators, 30, "full", {"--slow-oracle"});
  int mutants = 0, killed_on_both = 0, differ = 0;
  for (const Json& mutant : fast["models"][0]["mutants"]) {
    std::map<std::string, std::string> verdict;
    for (const auto& [device, on] : mutant["devices"].items()) {
      verdict[device] = on["verdict"].get<std::string>();
      EXPECT_NE(on["verdict"], "pending") << mutant["operator"];
    }
    ++mutants;
    if (verdict["cpu"] == "ignored" || verdict["opencl"] == "ignored") continue;
    killed_on_both += verdict["cpu"] == "killed" && verdict["opencl"] == "killed";
    differ += verdict["cpu"] != verdict["opencl"];
  }
  EXPECT_EQ(mutants, 30);
  EXPECT_GT(killed_on_both, 5);
  // Rounding, and an index out of bounds that finds other memory, may tell the two apart.
  EXPECT_LE(differ, mutants / 5);
  EXPECT_EQ(Verdicts(fast, "opencl"), Verdicts(slow, "opencl"));
}

TEST_F(OpenClCampaign, RefusedLaunchesAndFaultsEndTheirMutantOnly) {
  const Json report = RunOn({{{"id", "lowered.thread_extent"}, {"offset", 5000}},
                             {{"id", "code.store_neighbour"}, {"offset", 400000000}},
                             {{"id", "code.store_value"}, {"value", 0.0001}}},
                            9, "early");
  std::map<std::string, std::map<std::string, int>> by_operator;
  std::string details;
  for (const Json& mutant : report["models"][0]["mutants"]) {
    const Json& on = mutant["devices"]["opencl"];
    ++by_operator[mutant["operator"].get<std::string>()][on["verdict"].get<std::string>()];
    details += on["reason"].get<std::string>() + "\n";
  }
  EXPECT_GT(by_operator["lowered.thread_extent"]["crashed"], 0);
  EXPECT_THAT(details, HasSubstr("CL_INVALID_WORK_GROUP_SIZE"));
  EXPECT_GT(by_operator["code.store_neighbour"]["crashed"], 0);
  EXPECT_THAT(details, HasSubstr("killed by signal 11"));
  EXPECT_GT(by_operator["code.store_value"]["survived"], 0);
  for (const auto& [op, verdicts] : by_operator) EXPECT_FALSE(verdicts.contains("pending")) << op;
}

// Naive kernels of the two compute the same bits, where both fuse multiply-add; what legal code may
// differ by is measured on the device, and by a bundle that runs there as by a session.
TEST_F(OpenClCampaign, MeasuresItsOriginalAsACpuDoes) {
  Json devices = kDevices;
  devices[0]["target"]["mcpu"] = "host";
  for (Json& device : devices) device["bitwise"] = "naive";
  const std::string campaign = MakeTinyCampaign(scratch_.path, {{"devices", devices},
                                                                {"level", 2},
                                                                {"operators", {"code.store_value"}},
                                                                {"max_mutants", 4}});
  const std::string whole = scratch_ / "whole", folder = scratch_ / "parts";
  RunAndReport(campaign, whole);
  auto store = Store::OpenReadOnly(StorePath(whole)).value();
  const auto events = store->Events().value();
  for (const auto& [kind, text] : events) EXPECT_NE(kind, "finding") << text;
  const auto floors = store->Floors("tiny", "opencl").value(),
             on_cpu = store->Floors("tiny", "cpu").value();
  ASSERT_EQ(floors.size(), on_cpu.size());
  for (size_t i = 0; i < floors.size(); ++i) {
    EXPECT_EQ(floors[i].step, on_cpu[i].step);
    EXPECT_LE(floors[i].floor, 1e-5) << floors[i].step;
    EXPECT_FALSE(std::isnan(floors[i].distance)) << floors[i].step;
    if (floors[i].step != "pool") {
      EXPECT_GT(floors[i].distance, 0) << floors[i].step;
    }
  }
  const auto hashes = store->StepHashes("tiny", "opencl").value();
  EXPECT_EQ(hashes.size(), store->StepHashes("tiny", "cpu").value().size());

  const std::string bundle = scratch_ / "work.tar.zst", results = scratch_ / "results.jsonl";
  const RunResult build =
      Mutatenn({"build", campaign, "--out", folder, "--bundle", bundle, "--device", "opencl"});
  ASSERT_EQ(build.status, 0) << build.err;
  const char* programs = std::getenv("MUTATENN_BIN_DIR");
  const RunResult there =
      mutatenn::Run({std::string(programs) + "/mutatenn-worker", "run", bundle, "--out", results});
  ASSERT_EQ(there.status, 0) << there.err;
  // What all are compared with has to be there.
  const RunResult early = Mutatenn({"import-results", folder, results});
  EXPECT_EQ(early.status, 2);
  EXPECT_THAT(early.err, HasSubstr("on 'cpu', which has not run"));
  const RunResult first = Mutatenn({"execute", folder, "--device", "cpu"});
  ASSERT_EQ(first.status, 0) << first.err;
  const RunResult import = Mutatenn({"import-results", folder, results});
  ASSERT_EQ(import.status, 0) << import.err;
  EXPECT_THAT(import.out, Not(HasSubstr("bitwise")));
  auto parts = Store::OpenReadOnly(StorePath(folder)).value();
  const auto imported = parts->Floors("tiny", "opencl").value();
  ASSERT_EQ(imported.size(), floors.size());
  for (size_t i = 0; i < floors.size(); ++i) EXPECT_EQ(imported[i].floor, floors[i].floor);
  const auto imported_hashes = parts->StepHashes("tiny", "opencl").value();
  ASSERT_EQ(imported_hashes.size(), hashes.size());
  for (size_t i = 0; i < hashes.size(); ++i) EXPECT_EQ(imported_hashes[i].hash, hashes[i].hash);
  int repeated = 0;
  const auto repeats = parts->Repeats("tiny").value();
  for (const StoredRepeat& row : repeats) {
    repeated += row.device == "opencl";
    EXPECT_EQ(row.runs, 5);
    EXPECT_EQ(row.reference_diff, 0);
    EXPECT_TRUE(row.reference_label);
  }
  EXPECT_EQ(repeated, 6);
}

// The device's driver is not there, then it is.
TEST_F(OpenClCampaign, AnAbsentDeviceLosesNothing) {
  const std::string campaign = MakeTinyCampaign(
      scratch_.path,
      {{"devices", kDevices}, {"operators", {"graph.activation"}}, {"max_mutants", 4}});
  const std::string out = scratch_ / "out";
  RunOptions absent;
  absent.environment["OCL_ICD_VENDORS"] = scratch_ / "nothing";
  const RunResult refused = Mutatenn({"run", campaign, "--out", out}, absent);
  EXPECT_NE(refused.status, 0);
  EXPECT_THAT(refused.err, HasSubstr("this machine has no opencl device 0; install its driver"));
  const Json report = RunAndReport(campaign, out);
  EXPECT_EQ(Verdicts(report, "opencl").count("pending"), 0u);
}

// The process that holds the device, below the program that runs as `ancestor`; 0 = none yet.
int DeviceProcessBelow(int ancestor) {
  std::map<int, int> parents;
  std::vector<int> holders;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    std::ifstream status(entry.path() / "stat"), arguments(entry.path() / "cmdline");
    std::string text, line;
    std::getline(status, text);
    std::getline(arguments, line);
    const size_t close = text.rfind(')');
    if (close == std::string::npos) continue;
    parents[pid] = std::atoi(text.c_str() + close + 4);
    if (line.find("--accelerator") != std::string::npos) holders.push_back(pid);
  }
  for (int pid : holders)
    for (int at = pid; parents.contains(at); at = parents[at])
      if (parents[at] == ancestor) return pid;
  return 0;
}

TEST_F(OpenClCampaign, ALostDeviceIsTakenAgain) {
  const std::string campaign = MakeTinyCampaign(
      scratch_.path,
      {{"devices", kDevices}, {"operators", {"code.store_value"}}, {"max_mutants", 8}});
  const Json undisturbed = RunAndReport(campaign, scratch_ / "whole");
  const std::string out = scratch_ / "out";
  int killed = 0;
  RunOptions options;
  options.while_running = [&](int pid) {
    // Twice: while it loads, and in the midst of what follows.
    for (int last = 0; killed < 2;) {
      if (::kill(pid, 0) != 0) return;
      const int holder = DeviceProcessBelow(pid);
      if (holder != 0 && holder != last && ::kill(holder, SIGKILL) == 0) {
        last = holder;
        ++killed;
      }
      std::this_thread::yield();
    }
  };
  const RunResult run = Mutatenn({"run", campaign, "--out", out}, options);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(killed, 2);
  EXPECT_EQ(Verdicts(Comparable(Report(out)), "opencl"), Verdicts(undisturbed, "opencl"));
}

}  // namespace
}  // namespace mutatenn
