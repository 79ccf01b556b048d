// What may be added to a campaign, and what may not be changed in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "campaign/test_campaign.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;
using fakes::Must;
using fakes::World;
using testing::HasSubstr;

TEST_F(CampaignTest, CompleteRunsWhatEarlyLeftOut) {
  World world;
  RunWell(world, Basic(), "out");
  size_t early = Count(Contents("out"), "fate ");
  RunWell(world, Basic(), "out", {.complete = true});
  std::string completed = Contents("out");
  EXPECT_GT(Count(completed, "fate "), early);
  Json full = Basic();
  full["matrix"] = "full";
  RunWell(world, full, "full");
  auto fates = [](const std::string& contents) { return contents.substr(contents.find("image ")); };
  EXPECT_EQ(fates(completed), fates(Contents("full")));
  // Once completed, the same command as before does not turn it back.
  RunWell(world, Basic(), "out");
  EXPECT_EQ(Contents("out"), completed);
}

TEST_F(CampaignTest, AddedDevicesAndOperatorsGiveTheSameAsHavingHadThem) {
  Json small = Basic();
  small["devices"].erase(1);
  small["operators"].erase(1);
  World world;
  RunWell(world, small, "out");
  int run = world.mutants_run;
  EXPECT_GT(run, 0);
  RunWell(world, Basic(), "out");
  std::string reference = Reference(Basic());
  auto after_id = [](const std::string& contents) {
    return contents.substr(contents.find("image "));
  };
  EXPECT_EQ(after_id(Contents("out")), after_id(reference));
  World whole;
  RunWell(whole, Basic(), "whole");
  EXPECT_EQ(world.mutants_run, whole.mutants_run);  // nothing is run twice
}

TEST_F(CampaignTest, AddedImagesComeBehindAndAreRun) {
  World world;
  RunWell(world, Basic(), "out");
  std::string before = Contents("out");
  AddImage(5);
  AddImage(6);
  RunWell(world, Basic(), "out");
  auto store = Store::OpenReadOnly(StorePath(Out("out")));
  std::vector<StoredImage> images = Must((*store)->Images("net"));
  ASSERT_EQ(images.size(), 7u);
  EXPECT_TRUE(images[5].name == "i5.bmp" || images[5].name == "i6.bmp");
  EXPECT_NE(images[5].name, images[6].name);
  EXPECT_NE(images[6].position, images[5].position);
  // No fate of before changed; mutants that had survived ran on the new ones.
  std::string after = Contents("out");
  size_t kept = 0, lines = 0;
  for (size_t at = before.find("fate "); at != std::string::npos;
       at = before.find("fate ", at + 1)) {
    ++lines;
    kept += after.find(before.substr(at, before.find('\n', at) - at)) != std::string::npos;
  }
  EXPECT_EQ(kept, lines);
  EXPECT_GT(Count(after, "i5.bmp") + Count(after, "i6.bmp"), 4u + 2u);
}

TEST_F(CampaignTest, ALargerSampleKeepsTheSmallerOne) {
  Json json = Basic();
  json["max_mutants"] = 4;
  World world;
  RunWell(world, json, "out");
  auto selected = [&] {
    auto store = Store::OpenReadOnly(StorePath(Out("out")));
    std::set<std::string> ids;
    for (const auto& mutant : Must((*store)->Mutants("net"))) {
      if (mutant.selected) ids.insert(mutant.id);
    }
    return ids;
  };
  std::set<std::string> four = selected();
  EXPECT_EQ(four.size(), 4u);
  json["max_mutants"] = 7;
  RunWell(world, json, "out");
  std::set<std::string> seven = selected();
  EXPECT_EQ(seven.size(), 7u);
  EXPECT_TRUE(std::includes(seven.begin(), seven.end(), four.begin(), four.end()));
  RunWell(world, json, "fresh");
  auto after_id = [](const std::string& contents) {
    return contents.substr(contents.find("image "));
  };
  EXPECT_EQ(after_id(Contents("out")), after_id(Contents("fresh")));
  json["max_mutants"] = 3;
  EXPECT_THAT(Run(world, json, "out").error().message, HasSubstr("max_mutants 7"));
}

TEST_F(CampaignTest, AnAddedOperatorThrowsNoSampledMutantAway) {
  Json json = Basic();
  json["max_mutants"] = 8;
  World world;
  RunWell(world, json, "out");
  std::string before = Contents("out");
  json["operators"].push_back({{"id", "z"}});  // shares shrink from 4 to 3
  RunWell(world, json, "out");
  std::string after = Contents("out");
  for (size_t at = before.find("fate "); at != std::string::npos;
       at = before.find("fate ", at + 1)) {
    EXPECT_THAT(after, HasSubstr(before.substr(at, before.find('\n', at) - at)));
  }
  auto store = Store::OpenReadOnly(StorePath(Out("out")));
  std::map<std::string, int> selected;
  for (const auto& use : Must((*store)->OperatorUses())) selected[use.op_id] = use.selected;
  EXPECT_EQ(selected, (std::map<std::string, int>{{"x", 4}, {"y", 4}, {"z", 2}}));
}

TEST_F(CampaignTest, ALargerTimeoutRunsTimeoutsAgain) {
  Reference(Basic());
  std::string slow = SomeRunMutant("reference", 1);
  World world;
  world.timeouts = {slow};
  RunWell(world, Basic(), "out");
  EXPECT_GE(Count(Contents("out"), "timeout"), 2u);
  Json json = Basic();
  json["timeout"] = {{"floor_s", 5}};
  int run = world.mutants_run;
  RunWell(world, json, "out");
  EXPECT_EQ(world.mutants_run, run + 2);
  EXPECT_EQ(Count(Contents("out"), "timeout"), 0u);
  json["timeout"] = {{"floor_s", 2}};
  EXPECT_THAT(Run(world, json, "out").error().message, HasSubstr("timeout.floor_s 5.0"));
}

TEST_F(CampaignTest, TheSlowOracleNeedsAFolderOfItsOwn) {
  World world;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(
      Run(world, Basic(), "out", {.slow_oracle = true}).error().message,
      Out("out") +
          ": the campaign in this folder was made without --slow-oracle; take another --out for "
          "another campaign");
  RunWell(world, Basic(), "slow", {.slow_oracle = true});
}

// A change of what is there is refused, and named.
TEST_F(CampaignTest, ChangesAreRefusedByName) {
  World world;
  Json json = Basic();
  json["operators"][0]["value"] = 1;
  RunWell(world, json, "out");
  std::string contents = Contents("out");
  auto refused = [&](const std::function<void(Json&)>& change) {
    Json changed = json;
    change(changed);
    Result<CampaignOutcome> outcome = Run(world, changed, "out");
    if (outcome.ok()) return std::string("accepted");
    EXPECT_EQ(outcome.error().code, Code::kInvalidInput);
    std::string begin = Out("out") + ": the campaign in this folder ";
    EXPECT_EQ(outcome.error().message.rfind(begin, 0), 0u) << outcome.error().message;
    std::string text = outcome.error().message.substr(begin.size());
    std::string file = (folder_ / "c.json").string();
    for (size_t at; (at = text.find(file)) != std::string::npos;)
      text.replace(at, file.size(), "CONFIG");
    return text.substr(0, text.find("; take another"));
  };
  EXPECT_EQ(refused([](Json& j) { j["seed"] = 2; }), "has seed 1, CONFIG says 2");
  EXPECT_EQ(refused([](Json& j) { j["top_k"] = 3; }), "has top_k 5, CONFIG says 3");
  EXPECT_EQ(refused([](Json& j) { j["level"] = 2; }), "has level 3, CONFIG says 2");
  EXPECT_EQ(refused([](Json& j) { j["timing"] = "full"; }),
            "has timing 'suffix', CONFIG says 'full'");
  EXPECT_EQ(
      refused([](Json& j) { j["matrix"] = "full"; }),
      "has matrix 'early', CONFIG says 'full' (add --complete to run the missing images here)");
  EXPECT_EQ(refused([](Json& j) { j["max_mutants"] = 5; }),
            "has max_mutants 0, CONFIG says 5 (it may only grow; 0 = all)");
  EXPECT_EQ(refused([](Json& j) { j["devices"][1]["target"]["mcpu"] = "x86-64"; }),
            "has device 'b' with target {\"kind\":\"llvm\",\"mcpu\":\"host\"}, CONFIG says "
            "{\"kind\":\"llvm\",\"mcpu\":\"x86-64\"}");
  EXPECT_EQ(refused([](Json& j) { j["devices"].erase(1); }),
            "has device 'b', which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { std::swap(j["devices"][0], j["devices"][1]); }),
            "has the first device 'a', CONFIG says 'b' (it fixed the order of images; add devices "
            "behind it)");
  EXPECT_EQ(refused([](Json& j) { j["operators"][0]["value"] = 2; }),
            "has operator x {\"value\":1}, which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { j["operators"].erase(1); }),
            "has operator y, which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { j["models"][0]["name"] = "other"; }),
            "has model 'net', which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) {
              j["models"][0]["preprocessing"]["mean"] = Json::array({1, 2, 3});
            }),
            "has model 'net' with preprocessing.mean [0.0,0.0,0.0], CONFIG says [1.0,2.0,3.0]");
  // What may change: jobs, memory, order of keys.
  EXPECT_EQ(refused([](Json& j) { j["jobs"] = 1; }), "accepted");
  EXPECT_EQ(refused([](Json& j) { j["memory_budget_mb"] = 100; }), "accepted");

  WriteBitmap(folder_ / "images/i2.bmp", 200);
  EXPECT_THAT(refused([](Json&) {}), HasSubstr("has image 'i2.bmp' with other content than"));
  fs::remove(folder_ / "images/i2.bmp");
  EXPECT_EQ(refused([](Json&) {}), "has image 'i2.bmp', which CONFIG does not have");
  AddImage(2);
  std::ofstream(folder_ / "net.onnx") << "another network";
  EXPECT_THAT(refused([](Json&) {}),
              HasSubstr("has model 'net' from a file with other content than net.onnx"));
  std::ofstream(folder_ / "net.onnx") << "network";
  EXPECT_EQ(refused([](Json&) {}), "accepted");
  EXPECT_EQ(Contents("out"), contents);
}

TEST_F(CampaignTest, AnotherCompilerIsRefused) {
  World world;
  RunWell(world, Basic(), "out");
  Json more = Basic();
  more["operators"].push_back({{"id", "z"}});
  world.tvm_version = "0.28.0";
  EXPECT_THAT(Run(world, more, "out").error().message,
              HasSubstr("was built with TVM 0.27.0, now it is 0.28.0; take another --out"));
  world.tvm_version = "0.27.0";
  world.graph_hash = "other";
  EXPECT_THAT(Run(world, more, "out").error().message,
              HasSubstr("was built with graph hash graph, now it is other"));
}

TEST_F(CampaignTest, PreprocessingThatDoesNotFitTheNetworkIsRefused) {
  World world;
  Json json = Basic();
  json["models"][0]["preprocessing"]["crop"] = 4;
  EXPECT_EQ(Run(world, json, "out").error().message,
            (folder_ / "c.json").string() +
                ": model 'net': preprocessing makes a crop of 4x4 in NCHW, the network "
                "takes 1x3x8x8; change preprocessing.crop or layout");
}

}  // namespace
}  // namespace mutatenn
