// A campaign over servers gives the report of a local one, whatever happens to the servers.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <thread>

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

}  // namespace
}  // namespace mutatenn
