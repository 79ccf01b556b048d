// A campaign over servers gives the report of a local one, whatever happens to the servers.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "device/tracker_testing.h"
#include "store/store.h"
#include "support/run.h"

namespace mutatenn {
namespace {

size_t StoredFates(const std::string& folder) {
  auto store = Store::OpenReadOnly(StorePath(folder));
  if (!store.ok()) return 0;
  auto models = (*store)->Models();
  auto devices = (*store)->Devices();
  size_t count = 0;
  for (size_t m = 0; models.ok() && devices.ok() && m < models->size(); ++m)
    for (const StoredDevice& device : *devices)
      if (auto fates = (*store)->Fates((*models)[m].name, device.name); fates.ok())
        count += fates->size();
  return count;
}

std::string Events(const std::string& folder) {
  std::string text;
  for (const auto& [kind, line] : Good(Good(Store::OpenReadOnly(StorePath(folder)))->Events()))
    text += kind + ": " + line + "\n";
  return text;
}

Json OneDevice(const Json& session) {
  return {{"devices", Json::array({{{"name", "board"},
                                    {"target", {{"kind", "llvm"}, {"mcpu", "x86-64"}}},
                                    {"session", session}}})},
          {"max_mutants", 120}};
}

// Runs `campaign` and calls `strike` once so many fates are stored.
RunResult RunAndStrike(const std::string& campaign, const std::string& folder, size_t fates,
                       const std::function<void()>& strike) {
  std::atomic<bool> over = false;
  std::thread striker;
  RunOptions options;
  options.while_running = [&](int) {
    striker = std::thread([&] {
      while (!over && StoredFates(folder) < fates)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (!over) strike();
    });
  };
  RunResult result = Mutatenn({"run", campaign, "--out", folder}, options);
  over = true;
  striker.join();
  return result;
}

TEST(RemoteCampaign, AServerThatDiesInTheMiddleChangesNothing) {
  if (!TestTracker::Possible()) GTEST_SKIP() << "TVM's tracker needs tornado, psutil, cloudpickle";
  Scratch scratch;
  Json local =
      RunAndReport(MakeTinyCampaign(scratch.path, OneDevice({{"kind", "local"}})), scratch / "a");
  TestTracker tracker;
  const std::vector<std::string> arguments = {"--tracker", tracker.text(), "--key", "board"};
  TestServer a(arguments), b(arguments), c(arguments);
  tracker.Await("board", 3);
  const std::string folder = scratch / "b";
  bool killed = false;
  RunResult run = RunAndStrike(
      MakeTinyCampaign(
          scratch.path,
          OneDevice({{"kind", "tracker"}, {"tracker", tracker.text()}, {"key", "board"}})),
      folder, 10, [&] {
        b.Kill();
        killed = true;
      });
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(killed) << "the campaign was over before";
  EXPECT_NE(Events(folder).find("device: board: lost board"), std::string::npos) << Events(folder);
  Json remote = Comparable(Report(folder));
  EXPECT_TRUE(remote["models"] == local["models"]);  // too long to print
  EXPECT_EQ(remote["campaign"], local["campaign"]);
}

// Every connection breaks, and every worker behind it.
TEST(RemoteCampaign, GoesOnWhenAllConnectionsBreak) {
  Scratch scratch;
  Json local =
      RunAndReport(MakeTinyCampaign(scratch.path, OneDevice({{"kind", "local"}})), scratch / "a");
  TestServer server;
  const std::string campaign = MakeTinyCampaign(
      scratch.path,
      OneDevice({{"kind", "remote"}, {"servers", Json::array({server.address().Text()})}}));
  const std::string folder = scratch / "b";
  RunResult run = RunAndStrike(campaign, folder, 10, [&] {
    for (int pid : server.Sessions()) ::kill(pid, SIGKILL);
  });
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_NE(Events(folder).find("killed by signal 9"), std::string::npos) << Events(folder);
  EXPECT_TRUE(Comparable(Report(folder))["models"] == local["models"]);
}

// A board may have another address the next day.
TEST(RemoteCampaign, TheAddressMayChange) {
  Scratch scratch;
  const std::string folder = scratch / "a";
  Json local = RunAndReport(MakeTinyCampaign(scratch.path, OneDevice({{"kind", "local"}})), folder);
  TestServer server;
  Json again = RunAndReport(
      MakeTinyCampaign(
          scratch.path,
          OneDevice({{"kind", "remote"}, {"servers", Json::array({server.address().Text()})}})),
      folder);
  EXPECT_TRUE(again["models"] == local["models"]);
}

// Built here, run from the bundle with a clean environment and cut off in the middle, brought home.
TEST(Bundle, RunElsewhereGivesTheReportOfACampaign) {
  Scratch scratch;
  Json device = OneDevice({{"kind", "local"}});
  device["devices"][0]["bitwise"] = "group";
  const std::string campaign = MakeTinyCampaign(scratch.path, device);
  Json local = RunAndReport(campaign, scratch / "a");
  const std::string folder = scratch / "b", bundle = scratch / "work.tar.zst";
  RunResult build = Mutatenn({"build", campaign, "--out", folder, "--bundle", bundle});
  ASSERT_EQ(build.status, 0) << build.err;
  const std::string unpacked = scratch / "elsewhere";
  std::filesystem::create_directory(unpacked);
  ASSERT_EQ(mutatenn::Run({"tar", "--zstd", "-xf", bundle, "-C", unpacked}).status, 0);
  // Every library that is not the system's own comes along, under the name that is asked for.
  RunResult needed = mutatenn::Run({"/usr/bin/env", "LD_LIBRARY_PATH=" + unpacked + "/bin", "ldd",
                                    unpacked + "/bin/mutatenn-worker"});
  ASSERT_EQ(needed.status, 0) << needed.err;
  std::istringstream libraries(needed.out);
  for (std::string line; std::getline(libraries, line);)
    if (line.find("libtvm") != std::string::npos || line.find("libfmt") != std::string::npos) {
      EXPECT_NE(line.find(unpacked), std::string::npos) << line;
    }
  const std::string results = scratch / "results.jsonl";
  const std::vector<std::string> run = {"/usr/bin/env", "-i", "PATH=/usr/bin:/bin",
                                        unpacked + "/run.sh", results};
  auto lines = [&] {
    std::ifstream in(results);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  RunOptions cut;
  cut.kill_when = [&] { return lines() > 20; };
  EXPECT_EQ(mutatenn::Run(run, cut).status, 128 + SIGKILL);
  const auto before = lines();
  { std::ofstream(results, std::ios::app) << "{\"model\": \"half a li"; }
  RunResult rest = mutatenn::Run(run);
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_GT(lines(), before);
  RunResult import = Mutatenn({"import-results", folder, results});
  ASSERT_EQ(import.status, 0) << import.err;
  EXPECT_TRUE(Comparable(Report(folder))["models"] == local["models"]);
  // What the original was like there is all that a session knows of it.
  auto ours = Good(Store::OpenReadOnly(StorePath(scratch / "a"))),
       theirs = Good(Store::OpenReadOnly(StorePath(folder)));
  const auto floors = Good(ours->Floors("tiny", "board"));
  EXPECT_GT(floors.size(), 4u);
  EXPECT_EQ(Good(theirs->Floors("tiny", "board")).size(), floors.size());
  EXPECT_EQ(Good(theirs->Repeats("tiny")).size(), 6u);
  EXPECT_EQ(Good(theirs->ReferenceOutputs("tiny")).size(), 6u);
  const auto hashes = Good(ours->StepHashes("tiny", "board")),
             their_hashes = Good(theirs->StepHashes("tiny", "board"));
  EXPECT_GT(hashes.size(), 6 * 4u);
  ASSERT_EQ(hashes.size(), their_hashes.size());
  for (size_t i = 0; i < hashes.size(); ++i) EXPECT_EQ(hashes[i].hash, their_hashes[i].hash);
  RunResult other = Mutatenn({"import-results", scratch / "a", results});
  EXPECT_EQ(other.status, 0) << "the same campaign: " << other.err;
  // The worker unpacks by itself where it can.
  EXPECT_EQ(mutatenn::Run({WorkerPath(), "run", bundle}).status, 0);
  EXPECT_TRUE(std::filesystem::exists(bundle + ".results.jsonl"));
}

// Images whose original changes its label from run to run end no mutant in a bundle either, so that
// nothing is left pending: all but one are made such in the results of a run that was cut off.
TEST(Bundle, GoesOnBehindUnstableImages) {
  Scratch scratch;
  Json changes = OneDevice({{"kind", "local"}});
  changes["matrix"] = "early";
  changes["max_mutants"] = 40;
  const std::string campaign = MakeTinyCampaign(scratch.path, changes);
  const std::string folder = scratch / "b", bundle = scratch / "work.tar.zst";
  ASSERT_EQ(Mutatenn({"build", campaign, "--out", folder, "--bundle", bundle}).status, 0);
  const std::string results = bundle + ".results.jsonl";
  ASSERT_EQ(mutatenn::Run({WorkerPath(), "run", bundle}).status, 0);
  std::string kept;
  int repeats = 0;
  std::ifstream in(results);
  for (std::string line; std::getline(in, line);) {
    Json entry = Json::parse(line);
    if (entry.contains("done")) continue;
    if (entry.contains("repeats") && repeats++ > 0)
      entry["repeats"]["labels"][1] = entry["repeats"]["labels"][0].get<int>() + 1;
    kept += entry.dump() + "\n";
  }
  ASSERT_EQ(repeats, 6);
  in.close();
  ASSERT_TRUE(WriteFile(results, kept).ok());
  ASSERT_EQ(mutatenn::Run({WorkerPath(), "run", bundle}).status, 0);
  const RunResult import = Mutatenn({"import-results", folder, results});
  ASSERT_EQ(import.status, 0) << import.err;
  const Json counts = Report(folder)["models"][0]["scores"]["devices"]["board"]["counts"];
  EXPECT_EQ(counts["pending"], 0) << counts;
  EXPECT_GT(counts["unstable"], 0) << counts;
}

TEST(Devices, AreListedAndChecked) {
  TestServer server;
  Scratch scratch;
  const std::string gone = "tcp://127.0.0.1:1";
  auto config = [&](const Json& servers) {
    return MakeTinyCampaign(scratch.path, OneDevice({{"kind", "remote"}, {"servers", servers}}));
  };
  RunResult list = Mutatenn({"devices", config({server.address().Text()}), "--check"});
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_NE(list.out.find("board  " + server.address().Text() + "  x86_64, "), std::string::npos);
  EXPECT_TRUE(std::regex_search(
      list.out, std::regex("; a core of this CPU: [0-9]+\\.[0-9] GFLOP/s, copies [0-9.]+ GB/s\n")))
      << list.out;
  EXPECT_NE(list.out.find("fates of mutants; the original of tiny is as it should be"),
            std::string::npos)
      << list.out;
  EXPECT_NE(
      list.out.find("board: tiny: repeat noise 0 over 5 runs of 6 images, 0 of them unstable; "
                    "rounding floor "),
      std::string::npos)
      << list.out;
  RunResult noise = Mutatenn({"devices", config({server.address().Text()}), "--noise"});
  EXPECT_EQ(noise.status, 0) << noise.err;
  EXPECT_NE(noise.out.find("board: tiny: repeat noise 0 over 5 runs"), std::string::npos)
      << noise.out;
  RunResult missing = Mutatenn({"devices", config({server.address().Text(), gone})});
  EXPECT_EQ(missing.status, 5);
  EXPECT_NE(missing.out.find(gone + "  not there: "), std::string::npos) << missing.out;
}

// Two instruction sets in one campaign: this machine and ARM under QEMU, its kernels compiled here.
TEST(RemoteCampaign, ComparesWithAnotherInstructionSet) {
  const auto worker = SourceDirectory() / "build-aarch64/mutatenn-worker-aarch64/mutatenn-worker";
  if (!std::filesystem::exists(worker)) GTEST_SKIP() << "make worker-aarch64 builds " << worker;
  TestServer server({}, {"qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu", worker.string()});
  Scratch scratch;
  Json target = {{"kind", "llvm"}, {"mtriple", "aarch64-linux-gnu"}};
  Json changes = OneDevice({{"kind", "local"}});
  changes["max_mutants"] = 60;
  changes["devices"].push_back(
      {{"name", "arm"},
       {"target", target},
       {"session", {{"kind", "remote"}, {"servers", {server.address().Text()}}}}});
  const std::string folder = scratch / "a";
  Json report = RunAndReport(MakeTinyCampaign(scratch.path, changes), folder);
  auto store = Good(Store::OpenReadOnly(StorePath(folder)));
  std::vector<StoredRepeat> repeats = Good(store->Repeats("tiny"));
  ASSERT_EQ(repeats.size(), 2 * 6u);
  for (const StoredRepeat& row : repeats) {
    EXPECT_EQ(row.runs, 5);
    EXPECT_EQ(row.spread_json, "[0.0]") << row.device;
    EXPECT_TRUE(row.reference_label) << row.device << " " << row.image;
    EXPECT_LT(row.reference_diff, 1e-5) << "rounding by fused multiply-add alone";
  }
  size_t both = 0, equal = 0;
  for (const Json& mutant : report["models"][0]["mutants"]) {
    std::string here = mutant["devices"]["board"]["verdict"];
    std::string there = mutant["devices"]["arm"]["verdict"];
    if (here == "ignored" || there == "ignored") continue;  // lowered: one target's alone
    ++both;
    equal += here == there;
    EXPECT_NE(there, "pending") << mutant["place"];
  }
  EXPECT_GT(both, 20u);
  EXPECT_GE(equal, both * 9 / 10);
  EXPECT_EQ(Events(folder).find("finding"), std::string::npos) << Events(folder);
}

}  // namespace
}  // namespace mutatenn
