// Campaigns over a fake generator and fake devices: whatever goes wrong on the way, the store ends with
// the same contents as that of a campaign where nothing did.
#include "campaign/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/files.h"
#include "campaign/test_fakes.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;
using fakes::Must;
using fakes::World;
using testing::HasSubstr;

// An 8x8 BMP of one colour.
void WriteBitmap(const fs::path& path, unsigned char level) {
  std::string bytes(54 + 8 * 24, static_cast<char>(level));
  auto number = [&](size_t at, uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes[at + static_cast<size_t>(i)] = static_cast<char>(value >> (8 * i));
  };
  bytes.replace(0, 54, std::string(54, '\0'));
  bytes[0] = 'B', bytes[1] = 'M';
  number(2, static_cast<uint32_t>(bytes.size()), 4);
  number(10, 54, 4), number(14, 40, 4), number(18, 8, 4), number(22, 8, 4), number(26, 1, 2), number(28, 24, 2);
  std::ofstream(path, std::ios::binary) << bytes;
}

class CampaignTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = fs::path(testing::TempDir()) / ("campaign_test." + std::to_string(::getpid()) + "." + name);
    fs::create_directories(folder_ / "images");
    std::ofstream(folder_ / "net.onnx") << "network";
    for (int i = 0; i < 5; ++i) AddImage(i);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void AddImage(int i) {
    WriteBitmap(folder_ / "images" / ("i" + std::to_string(i) + ".bmp"), static_cast<unsigned char>(10 * i + 1));
  }
  static Json Basic() {
    return {{"models", Json::array({{{"name", "net"}, {"path", "net.onnx"},
                                     {"preprocessing", {{"resize_short_side", 0}, {"crop", 8}}}}})},
            {"images", {{"path", "images"}}},
            {"devices", Json::array({{{"name", "a"}, {"target", {{"kind", "llvm"}}}},
                                     {{"name", "b"}, {"target", {{"kind", "llvm"}, {"mcpu", "host"}}}}})},
            {"operators", Json::array({{{"id", "x"}}, {{"id", "y"}}})},
            {"jobs", 2}};
  }
  Config Parsed(const Json& json) {
    OperatorCatalog catalog{{"x", "y", "z"}, [](const std::string&, const Json& given) -> Result<Json> { return given; }};
    Result<Config> config = ParseConfig(json.dump(), (folder_ / "c.json").string(), catalog);
    EXPECT_TRUE(config.ok()) << config.error().message;
    return *config;
  }
  std::string Out(const std::string& name) { return (folder_ / name).string(); }

  Result<CampaignOutcome> Run(World& world, const Json& json, const std::string& out, CampaignOptions options = {}) {
    Progress progress({.verbosity = Verbosity::kNormal, .write = [this](const std::string& text) { said_ += text; }});
    options.out = Out(out);
    return RunCampaign(Parsed(json), options, fakes::Parts(world), progress);
  }
  void RunWell(World& world, const Json& json, const std::string& out, CampaignOptions options = {}) {
    Result<CampaignOutcome> outcome = Run(world, json, out, options);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_FALSE(outcome->interrupted);
    EXPECT_EQ(outcome->left_pending, 0) << outcome->pending_reason;
  }

  // All that reports are made of, as text.
  std::string Contents(const std::string& out) {
    auto store = Store::OpenReadOnly(StorePath(Out(out)));
    EXPECT_TRUE(store.ok()) << store.error().message;
    Store& s = **store;
    std::string text = *Must(s.Meta("campaign")) + *Must(s.Meta("matrix")) + "\n";
    for (const auto& i : Must(s.Images("net"))) text += "image " + i.name + i.hash + std::to_string(i.position) + i.input_file + "\n";
    for (const auto& d : Must(s.Devices())) text += "device " + d.name + d.target_json + std::to_string(d.target_index) + d.cpu + "\n";
    for (const auto& m : Must(s.Mutants("net"))) text += "mutant " + m.id + m.place + std::to_string(m.selected) + "\n";
    for (const auto& u : Must(s.OperatorUses())) {
      text += "use " + u.op_key + std::to_string(u.points) + "," + std::to_string(u.mutants) + "," + std::to_string(u.selected) + "\n";
    }
    for (const auto& b : Must(s.Builds("net"))) text += "build " + b.mutant + std::to_string(b.target_index) + b.state + "\n";
    for (const auto& o : Must(s.Originals("net"))) text += "original " + o.device + o.image + o.top_json + "\n";
    for (const auto& d : Must(s.Devices())) {
      for (const auto& f : Must(s.Fates("net", d.name))) {
        text += "fate " + f.mutant + f.device + f.image + f.ending + f.top_json + f.detail + "\n";
      }
    }
    return text;
  }
  size_t Count(const std::string& text, const std::string& word) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  // A campaign where nothing goes wrong.
  std::string Reference(const Json& json) {
    World world;
    RunWell(world, json, "reference");
    return Contents("reference");
  }
  // An id of a mutant that is run on both devices.
  std::string SomeRunMutant(const std::string& out, size_t which = 0) {
    auto store = Store::OpenReadOnly(StorePath(Out(out)));
    std::vector<std::string> ids;
    for (const auto& m : Must((*store)->Mutants("net"))) {
      auto build = Must((*store)->Build("net", m.id, 0));
      if (build && build->state == "ok") ids.push_back(m.id);
    }
    return ids.at(which);
  }

  fs::path folder_;
  std::string said_;
};

TEST_F(CampaignTest, EveryBuiltMutantIsRunOnEveryDevice) {
  std::string contents = Reference(Basic());
  EXPECT_EQ(Count(contents, "mutant "), 12u);
  EXPECT_EQ(Count(contents, "build "), 24u);
  EXPECT_EQ(Count(contents, "original "), 10u);
  auto store = Store::OpenReadOnly(StorePath(Out("reference")));
  for (const auto& mutant : Must((*store)->Mutants("net"))) {
    for (const char* device : {"a", "b"}) {
      auto build = Must((*store)->Build("net", mutant.id, device[0] - 'a'));
      std::vector<StoredFate> fates;
      for (const auto& fate : Must((*store)->FatesOf("net", mutant.id))) {
        if (fate.device == device) fates.push_back(fate);
      }
      if (build->state != "ok") {
        EXPECT_TRUE(fates.empty());
        continue;
      }
      // All images, or a detection that stopped it.
      bool detected = false;
      for (const auto& fate : fates) detected |= fate.ending != "ok" || fate.top_json.rfind("[[7", 0) == 0;
      EXPECT_TRUE(detected || fates.size() == 5) << mutant.id << " " << fates.size();
    }
  }
}

TEST_F(CampaignTest, ImagesAreOrderedByTheOriginalsMargin) {
  Reference(Basic());
  auto store = Store::OpenReadOnly(StorePath(Out("reference")));
  double last = -1;
  std::vector<StoredImage> images = Must((*store)->Images("net"));
  ASSERT_EQ(images.size(), 5u);
  for (size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(images[i].position, static_cast<int>(i));
    double margin = 1.0 + static_cast<double>(Hash64(images[i].name) % 100) / 100;  // as the fake makes it
    EXPECT_GE(margin, last);
    last = margin;
  }
}

TEST_F(CampaignTest, ChunksAndJobsDoNotShow) {
  std::string reference = Reference(Basic());
  Json json = Basic();
  json["jobs"] = 1;
  json["memory_budget_mb"] = 64;
  World world;
  world.bytes_per_image = 40 << 20;  // one image at a time
  RunWell(world, json, "small");
  EXPECT_EQ(Contents("small"), reference);
  world.bytes_per_image = 30 << 20;  // two
  RunWell(world, json, "two");
  EXPECT_EQ(Contents("two"), reference);
}

TEST_F(CampaignTest, RunAgainDoesNothing) {
  World world;
  RunWell(world, Basic(), "out");
  std::string contents = Contents("out");
  int run = world.mutants_run, started = world.generators_started, opened = world.sessions_opened;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(world.mutants_run, run);
  EXPECT_EQ(world.generators_started, started);
  EXPECT_EQ(world.sessions_opened, opened);
  EXPECT_EQ(Contents("out"), contents);
}

TEST_F(CampaignTest, AFullDiskLosesNothingAtAnyMoment) {
  std::string reference = Reference(Basic());
  for (int moment = 0; moment < 12; moment += 3) {
    World world;
    world.fail_fates_after = moment;
    std::string out = "full" + std::to_string(moment);
    Result<CampaignOutcome> outcome = Run(world, Basic(), out);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, Code::kIo);
    EXPECT_THAT(outcome.error().message, HasSubstr("the disk is full"));
    int run = world.mutants_run;
    RunWell(world, Basic(), out);
    EXPECT_EQ(Contents(out), reference) << moment;
    // What was stored before is not run again: one mutant was lost, and those that were in the queue.
    World whole;
    RunWell(whole, Basic(), "whole" + std::to_string(moment));
    EXPECT_EQ(world.mutants_run, whole.mutants_run + 1) << run;
  }
}

TEST_F(CampaignTest, StoppedWhileBuildingGoesOn) {
  std::string reference = Reference(Basic());
  World world;
  world.interrupt_after_builds = 5;
  Result<CampaignOutcome> outcome = Run(world, Basic(), "out");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_TRUE(outcome->interrupted);
  EXPECT_EQ(world.mutants_built, 6);
  world.interrupted = false;
  world.interrupt_after_builds = -1;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(world.mutants_built, 24);  // no build is made twice
  EXPECT_EQ(Contents("out"), reference);
}

TEST_F(CampaignTest, ALostWorkerIsStartedAgain) {
  std::string reference = Reference(Basic());
  World world;
  world.lose_worker_after = 3;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(world.slept.size(), 1u);
  EXPECT_EQ(Contents("out"), reference);
  EXPECT_THAT(said_, HasSubstr("the worker was killed by signal 9; starting the worker again"));
}

TEST_F(CampaignTest, AMutantThatTakesTheWorkerAlongIsLeftPendingAlone) {
  Reference(Basic());
  std::string guilty = SomeRunMutant("reference", 2);
  World world;
  world.killers = {guilty};
  Result<CampaignOutcome> outcome = Run(world, Basic(), "out");
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->left_pending, 2);  // on both devices
  EXPECT_THAT(outcome->pending_reason, HasSubstr("1 mutant left pending: the worker was killed by signal 9"));
  // After the first loss it is run alone.
  ASSERT_GE(world.batches.size(), 2u);
  EXPECT_GT(world.batches[0].size(), 1u);
  EXPECT_EQ(world.batches[1], std::vector<std::string>{guilty});
  auto store = Store::OpenReadOnly(StorePath(Out("out")));
  EXPECT_TRUE(Must((*store)->FatesOf("net", guilty)).empty());
  // Innocent once the cause is gone.
  store->reset();
  world.killers.clear();
  RunWell(world, Basic(), "out");
  EXPECT_EQ(Contents("out"), Contents("reference"));
}

TEST_F(CampaignTest, ADeviceThatNeverAnswersEndsAfterThreeLosses) {
  World world;
  CampaignParts parts = fakes::Parts(world);
  int opened = 0;
  parts.open_session = [&](const DeviceConfig&, const std::string&) -> Result<std::unique_ptr<Session>> {
    ++opened;
    return Fail(Code::kUnavailable, "the worker does not start");
  };
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  Result<CampaignOutcome> outcome = RunCampaign(Parsed(Basic()), {.out = Out("out")}, parts, progress);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Code::kUnavailable);
  EXPECT_EQ(outcome.error().message, "a: the worker does not start");
  EXPECT_EQ(opened, 3);
}

TEST_F(CampaignTest, AToolErrorIsTriedAgainAndIsNoVerdict) {
  std::string reference = Reference(Basic());
  std::string id = SomeRunMutant("reference");
  World world;
  world.tool_errors[id] = 2;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(Contents("out"), reference);
  World worse;
  worse.tool_errors[id] = 1000;
  Result<CampaignOutcome> outcome = Run(worse, Basic(), "worse");
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->left_pending, 2);
  EXPECT_EQ(outcome->pending_reason, "b: 1 mutant left pending: fork: no memory");
}

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
  auto after_id = [](const std::string& contents) { return contents.substr(contents.find("image ")); };
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
  for (size_t at = before.find("fate "); at != std::string::npos; at = before.find("fate ", at + 1)) {
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
  auto after_id = [](const std::string& contents) { return contents.substr(contents.find("image ")); };
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
  for (size_t at = before.find("fate "); at != std::string::npos; at = before.find("fate ", at + 1)) {
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

TEST_F(CampaignTest, ExecuteNeedsNoGeneratorAndNoUserFiles) {
  std::string reference = Reference(Basic());
  World world;
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  ASSERT_TRUE(BuildCampaign(Parsed(Basic()), {.out = Out("out")}, fakes::Parts(world), progress).ok());
  EXPECT_EQ(world.sessions_opened, 0);
  fs::rename(folder_ / "images", folder_ / "images-away");
  fs::rename(folder_ / "net.onnx", folder_ / "net-away");
  CampaignParts parts = fakes::Parts(world);
  parts.start_generator = [](const GeneratorOptions&) -> Result<std::unique_ptr<Generator>> {
    return Fail(Code::kInternal, "no compiler here");
  };
  // The second device alone, then the rest.
  ASSERT_TRUE(ExecuteCampaign(Out("out"), "b", parts, progress).ok());
  std::string half = Contents("out");
  EXPECT_GT(Count(half, "fate "), 0u);
  EXPECT_LT(Count(half, "fate "), Count(reference, "fate "));
  ASSERT_TRUE(ExecuteCampaign(Out("out"), "", parts, progress).ok());
  EXPECT_EQ(Contents("out"), reference);
  EXPECT_EQ(ExecuteCampaign(Out("out"), "c", parts, progress).error().message,
            "--device: 'c' is no device of " + Out("out") + "; it has 'a', 'b'");
  EXPECT_EQ(ExecuteCampaign(Out("nowhere"), "", parts, progress).error().code, Code::kNotFound);
}

TEST_F(CampaignTest, TheSlowOracleNeedsAFolderOfItsOwn) {
  World world;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(Run(world, Basic(), "out", {.slow_oracle = true}).error().message,
            Out("out") + ": the campaign in this folder was made without --slow-oracle; take another --out for "
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
    for (size_t at; (at = text.find(file)) != std::string::npos;) text.replace(at, file.size(), "CONFIG");
    return text.substr(0, text.find("; take another"));
  };
  EXPECT_EQ(refused([](Json& j) { j["seed"] = 2; }), "has seed 1, CONFIG says 2");
  EXPECT_EQ(refused([](Json& j) { j["top_k"] = 3; }), "has top_k 5, CONFIG says 3");
  EXPECT_EQ(refused([](Json& j) { j["level"] = 2; }), "has level 3, CONFIG says 2");
  EXPECT_EQ(refused([](Json& j) { j["timing"] = "full"; }), "has timing 'suffix', CONFIG says 'full'");
  EXPECT_EQ(refused([](Json& j) { j["matrix"] = "full"; }),
            "has matrix 'early', CONFIG says 'full' (add --complete to run the missing images here)");
  EXPECT_EQ(refused([](Json& j) { j["max_mutants"] = 5; }),
            "has max_mutants 0, CONFIG says 5 (it may only grow; 0 = all)");
  EXPECT_EQ(refused([](Json& j) { j["devices"][1]["target"]["mcpu"] = "x86-64"; }),
            "has device 'b' with target {\"kind\":\"llvm\",\"mcpu\":\"host\"}, CONFIG says "
            "{\"kind\":\"llvm\",\"mcpu\":\"x86-64\"}");
  EXPECT_EQ(refused([](Json& j) { j["devices"].erase(1); }), "has device 'b', which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { std::swap(j["devices"][0], j["devices"][1]); }),
            "has the first device 'a', CONFIG says 'b' (it fixed the order of images; add devices behind it)");
  EXPECT_EQ(refused([](Json& j) { j["operators"][0]["value"] = 2; }),
            "has operator x {\"value\":1}, which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { j["operators"].erase(1); }), "has operator y, which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { j["models"][0]["name"] = "other"; }), "has model 'net', which CONFIG does not have");
  EXPECT_EQ(refused([](Json& j) { j["models"][0]["preprocessing"]["mean"] = Json::array({1, 2, 3}); }),
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
  EXPECT_THAT(refused([](Json&) {}), HasSubstr("has model 'net' from a file with other content than net.onnx"));
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
  EXPECT_THAT(Run(world, more, "out").error().message, HasSubstr("was built with graph hash graph, now it is other"));
}

TEST_F(CampaignTest, PreprocessingThatDoesNotFitTheNetworkIsRefused) {
  World world;
  Json json = Basic();
  json["models"][0]["preprocessing"]["crop"] = 4;
  EXPECT_EQ(Run(world, json, "out").error().message,
            (folder_ / "c.json").string() + ": model 'net': preprocessing makes a crop of 4x4 in NCHW, the network "
            "takes 1x3x8x8; change preprocessing.crop or layout");
}

TEST_F(CampaignTest, BadFoldersAreRefused) {
  World world;
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(Run(world, Basic(), "file").error().message, Out("file") + ": is a file; --out names a folder");
  // Root may write everywhere but there.
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  Result<CampaignOutcome> nowhere = RunCampaign(Parsed(Basic()), {.out = "/proc/mutatenn"}, fakes::Parts(world), progress);
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, Code::kIo);
  EXPECT_THAT(nowhere.error().message, HasSubstr("cannot create /proc/mutatenn"));
  fs::create_directory(folder_ / "closed");
  fs::permissions(folder_ / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  if (::access(Out("closed").c_str(), W_OK) == 0) GTEST_SKIP() << "root may write everywhere";
  Result<CampaignOutcome> outcome = Run(world, Basic(), "closed");
  EXPECT_EQ(outcome.error().code, Code::kIo);
  EXPECT_THAT(outcome.error().message, HasSubstr("cannot be written to (Permission denied)"));
}

TEST_F(CampaignTest, APreviewRunsNothingAndLeavesNothing) {
  World world;
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  Json json = Basic();
  json["max_mutants"] = 5;
  auto previews = PreviewCampaign(Parsed(json), fakes::Parts(world), progress);
  ASSERT_TRUE(previews.ok()) << previews.error().message;
  ASSERT_EQ(previews->size(), 1u);
  const ModelPreview& preview = previews->front();
  ASSERT_EQ(preview.uses.size(), 2u);
  EXPECT_EQ(preview.uses[0].mutants, 6);
  EXPECT_EQ(preview.uses[0].selected, 3);
  EXPECT_EQ(preview.uses[1].selected, 2);
  EXPECT_EQ(preview.images, 5);
  EXPECT_EQ(world.mutants_built + world.sessions_opened, 0);
}

}  // namespace
}  // namespace mutatenn
