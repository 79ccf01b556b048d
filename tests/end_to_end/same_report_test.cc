// The report of a campaign depends on nothing but what was asked: not on jobs, memory, order,
// crashes of the tool or of a worker, nor on any of the short cuts that make it fast.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "store/store.h"
#include "support/run.h"

namespace mutatenn {
namespace {

// Pids of the children of a process whose program is `name`.
std::vector<int> Children(int parent, const std::string& name) {
  std::vector<int> found;
  std::ifstream list("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) +
                     "/children");
  for (int pid; list >> pid;) {
    std::ifstream comm("/proc/" + std::to_string(pid) + "/comm");
    std::string text;
    std::getline(comm, text);
    if (text.starts_with(name.substr(0, 15))) found.push_back(pid);
  }
  return found;
}

// How many results of any kind a campaign holds by now.
int Stored(const std::string& folder) {
  auto store = Store::OpenReadOnly(StorePath(folder));
  if (!store.ok()) return 0;
  size_t count = 0;
  auto add = [&count](const auto& rows) { count += rows.ok() ? rows->size() : 0; };
  auto models = (*store)->Models();
  auto devices = (*store)->Devices();
  if (!models.ok() || !devices.ok()) return 0;
  for (const StoredModel& model : *models) {
    add((*store)->Builds(model.name));
    add((*store)->Originals(model.name));
    for (const StoredDevice& device : *devices) add((*store)->Fates(model.name, device.name));
  }
  return static_cast<int>(count);
}

TEST(SameReport, WhateverTheJobsAndTheMemory) {
  Scratch scratch;
  Json first = RunAndReport(
      MakeTinyCampaign(scratch.path, {{"jobs", 2}, {"memory_budget_mb", 2048}}), scratch / "a");
  ASSERT_FALSE(first["models"][0]["mutants"].empty());
  Json second = RunAndReport(
      MakeTinyCampaign(scratch.path, {{"jobs", 1}, {"memory_budget_mb", 16}}), scratch / "b");
  EXPECT_EQ(first["models"], second["models"]);
  EXPECT_EQ(first["campaign"], second["campaign"]);
}

TEST(SameReport, EveryMutantInExactlyOneState) {
  Scratch scratch;
  Json report = RunAndReport(MakeTinyCampaign(scratch.path), scratch / "a");
  const std::set<std::string> states = {"killed",  "survived", "equivalent", "stillborn",
                                        "crashed", "timeout",  "ignored"};
  for (const Json& mutant : report["models"][0]["mutants"]) {
    EXPECT_EQ(mutant["devices"].size(), 2u);
    for (const Json& device : mutant["devices"])
      EXPECT_TRUE(states.count(device["verdict"].get<std::string>())) << device["verdict"];
  }
}

TEST(SameReport, AsTheSlowOracleGives) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 60}});
  Json fast = RunAndReport(campaign, scratch / "fast");
  Json slow = RunAndReport(campaign, scratch / "slow", {"--slow-oracle"});
  ASSERT_EQ(fast["models"][0]["mutants"].size(), slow["models"][0]["mutants"].size());
  for (size_t i = 0; i < fast["models"][0]["mutants"].size(); ++i) {
    const Json &a = fast["models"][0]["mutants"][i], &b = slow["models"][0]["mutants"][i];
    ASSERT_EQ(a["id"], b["id"]);
    for (const auto& [device, result] : a["devices"].items())
      EXPECT_EQ(result["verdict"], b["devices"][device]["verdict"])
          << a["place"] << " on " << device;
  }
}

TEST(SameReport, AfterTenKillsAtRandomMoments) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 30}});
  Json whole = RunAndReport(campaign, scratch / "whole");
  const int all = Stored(scratch / "whole");
  ASSERT_GT(all, 30);
  std::mt19937 random(3);
  int killed = 0;
  // The moments are counted in what is stored, not in seconds: how much faster than the first run a
  // resumed one is depends on the machine.
  for (int i = 0; i < 10; ++i) {
    const int before = Stored(scratch / "killed");
    const int goal = before + std::uniform_int_distribution<int>(0, (all - before) / 4)(random);
    RunResult run = Mutatenn({"run", campaign, "--out", scratch / "killed", "--quiet"},
                             {.kill_when = [&] { return Stored(scratch / "killed") >= goal; }});
    killed += run.status == 128 + SIGKILL && Stored(scratch / "killed") < all;
  }
  EXPECT_GE(killed, 3) << "the kills came too late to test anything";
  EXPECT_EQ(RunAndReport(campaign, scratch / "killed"), whole);
}

TEST(SameReport, AfterAWorkerWasKilled) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 30}});
  Json whole = RunAndReport(campaign, scratch / "whole");
  bool shot = false;
  std::thread hunter;
  RunResult run = Mutatenn({"run", campaign, "--out", scratch / "shot", "--quiet"},
                           {.while_running = [&](int pid) {
                             hunter = std::thread([pid, &shot] {
                               while (!shot && ::kill(pid, 0) == 0) {
                                 for (int worker : Children(pid, "mutatenn-worker"))
                                   shot = ::kill(worker, SIGKILL) == 0;
                                 std::this_thread::yield();
                               }
                             });
                           }});
  hunter.join();
  EXPECT_TRUE(shot);
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Comparable(Report(scratch / "shot")), whole);
}

TEST(SameReport, ExtendedByDevicesOperatorsImagesAndLimits) {
  Scratch scratch;
  Json part = LoadJson(MakeTinyCampaign(scratch.path));
  Json whole = RunAndReport(MakeTinyCampaign(scratch.path), scratch / "whole");
  Json changes = {{"max_mutants", 20}};
  changes["devices"] = Json::array({part["devices"][0]});
  changes["operators"] = Json::array({part["operators"][0], part["operators"][1]});
  RunAndReport(MakeTinyCampaign(scratch.path, changes), scratch / "grown");
  EXPECT_EQ(RunAndReport(MakeTinyCampaign(scratch.path), scratch / "grown")["models"],
            whole["models"]);
}

}  // namespace
}  // namespace mutatenn
