// Campaigns over a fake generator and fake devices: whatever goes wrong on the way, the store ends
// with the same contents as that of a campaign where nothing did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "analysis/campaign_view.h"
#include "campaign/test_campaign.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;
using fakes::Must;
using fakes::World;
using testing::HasSubstr;

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
      for (const auto& fate : fates)
        detected |= fate.ending != "ok" || fate.top_json.rfind("[[7", 0) == 0;
      EXPECT_TRUE(detected || fates.size() == 5) << mutant.id << " " << fates.size();
    }
  }
}

// Mutants run in the session that ran the originals last, with the images that it holds; one device
// is open at a time, so the other one is opened for its originals and for its mutants.
TEST_F(CampaignTest, ASessionThatIsOpenIsUsed) {
  World world;
  RunWell(world, Basic(), "one");
  EXPECT_EQ(world.sessions_opened, 3);
}

TEST_F(CampaignTest, StatsCountWhatTheStoreHolds) {
  World world;
  Result<CampaignOutcome> first = Run(world, Basic(), "counted");
  ASSERT_TRUE(first.ok());
  auto store = Store::OpenReadOnly(StorePath(Out("counted")));
  int equivalent = 0, stillborn = 0, ok = 0, fates = 0, infected = 0;
  for (const StoredBuild& build : Must((*store)->Builds("net"))) {
    equivalent += build.state == "equivalent";
    stillborn += build.state == "stillborn";
    ok += build.state == "ok";
  }
  for (const char* device : {"a", "b"}) {
    for (const StoredFate& fate : Must((*store)->Fates("net", device))) {
      ++fates;
      infected += fate.infected;
    }
  }
  const CampaignStats& stats = first->stats;
  EXPECT_EQ(stats.mutants_built, 24);
  EXPECT_EQ(stats.equivalent, equivalent);
  EXPECT_EQ(stats.stillborn, stillborn);
  EXPECT_EQ(stats.judged, ok);
  EXPECT_EQ(stats.fates, fates);
  EXPECT_EQ(stats.infected, infected);
  EXPECT_GT(infected, 0);
  EXPECT_LE(stats.images_s + stats.original_s + stats.build_s + stats.run_s, stats.wall_s);
  store->reset();
  // Nothing is left to do, and nothing is counted.
  Result<CampaignOutcome> again = Run(world, Basic(), "counted");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->stats.mutants_built + again->stats.judged + again->stats.fates, 0);
}

TEST(CampaignStats, IsolationIsForkExitMessagesAndCopiesOverAllJobs) {
  CampaignStats stats;
  EXPECT_EQ(stats.IsolationShare(), 0);
  stats.wall_s = 10;
  stats.jobs = 2;
  stats.store_s = 1;
  stats.worker.fork_s = 0.25;
  stats.worker.exit_s = 0.5;
  stats.worker.rpc_s = 1;
  stats.worker.guard_copy_s = 0.25;
  stats.worker.kernels_s = 8;
  stats.worker.guard_run_s = 4;
  EXPECT_DOUBLE_EQ(stats.IsolationShare(), 0.1);
  EXPECT_DOUBLE_EQ(stats.StoreShare(), 0.1);
  stats.worker.steps = 10;
  stats.worker.steps_run = 4;
  EXPECT_EQ(ToJson(stats)["steps_skipped"], 6);
  EXPECT_THAT(StatsTable(stats), HasSubstr("Steps skipped: 6 of 10 (60.0 %)"));
  EXPECT_THAT(StatsTable(stats), HasSubstr("store 10.00 %"));
}

TEST_F(CampaignTest, ImagesAreOrderedByTheOriginalsMargin) {
  Reference(Basic());
  auto store = Store::OpenReadOnly(StorePath(Out("reference")));
  double last = -1;
  std::vector<StoredImage> images = Must((*store)->Images("net"));
  ASSERT_EQ(images.size(), 5u);
  for (size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(images[i].position, static_cast<int>(i));
    double margin =
        1.0 + static_cast<double>(Hash64(images[i].name) % 100) / 100;  // as the fake makes it
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

TEST_F(CampaignTest, NoMutantEndsAtAnImageThatIsNotStable) {
  Reference(Basic());
  std::vector<std::string> order;
  auto reference = Must(Store::OpenReadOnly(StorePath(Out("reference"))));
  for (const auto& image : Must(reference->Images("net"))) order.push_back(image.name);
  std::map<Verdict, int> verdicts;
  std::string contents;
  for (int chunk : {5, 1}) {
    World world;
    world.unstable = {order[0], order[1], order[3]};
    world.bytes_per_image = chunk == 1 ? 40 << 20 : 1 << 20;
    Json json = Basic();
    json["memory_budget_mb"] = 64;
    const std::string out = "chunk" + std::to_string(chunk);
    RunWell(world, json, out);
    auto store = Store::OpenReadOnly(StorePath(Out(out)));
    CampaignView view = Must(ReadCampaign(**store));
    for (const MutantView& mutant : view.models[0].mutants) {
      for (const DeviceResult& on : mutant.devices) {
        ++verdicts[on.judgement.verdict];
        EXPECT_NE(on.judgement.verdict, Verdict::kPending) << on.judgement.reason;
        if (on.judgement.verdict == Verdict::kKilled) {
          EXPECT_FALSE(world.unstable.contains(on.judgement.killing_image));
          // Nothing ran behind the image that killed.
          EXPECT_EQ(on.images_ended, static_cast<int>(on.outcomes.size()));
        }
      }
    }
    if (contents.empty()) contents = Contents(out);
    EXPECT_EQ(Contents(out), contents);
  }
  EXPECT_GT(verdicts[Verdict::kUnstable], 0);
  EXPECT_GT(verdicts[Verdict::kKilled], 0);
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
    // What was stored before is not run again: one mutant was lost, and those that were in the
    // queue.
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

// Each side waits for the other: one after the other they would wait for ever.
TEST_F(CampaignTest, TheOriginalRunsWhileMutantsAreBuilt) {
  std::string reference = Reference(Basic());
  World world;
  world.meet = true;
  RunWell(world, Basic(), "out");
  EXPECT_TRUE(world.met);
  // One of two jobs is the worker's as long as it runs the original.
  ASSERT_FALSE(world.jobs.empty());
  EXPECT_EQ(world.jobs.front(), 1);
  for (int jobs : world.jobs) EXPECT_THAT(jobs, testing::AnyOf(1, 2));
  EXPECT_EQ(Contents("out"), reference);
}

// With one job nothing runs beside the compiler.
TEST_F(CampaignTest, OneJobIsOneThingAtATime) {
  std::string reference = Reference(Basic());
  Json json = Basic();
  json["jobs"] = 1;
  World world;
  world.interrupt_after_builds = 0;
  ASSERT_TRUE(Run(world, json, "out").ok());
  EXPECT_EQ(world.sessions_opened, 0);
  world.interrupted = false;
  RunWell(world, json, "out");
  EXPECT_EQ(world.jobs, (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(Contents("out"), reference);
}

TEST_F(CampaignTest, AWorkerLostWhileMutantsAreBuiltIsStartedAgain) {
  std::string reference = Reference(Basic());
  World world;
  world.lose_originals = 2;
  RunWell(world, Basic(), "out");
  EXPECT_EQ(world.slept.size(), 2u);
  EXPECT_EQ(world.mutants_built, 24);
  EXPECT_EQ(Contents("out"), reference);
  World worse;
  worse.lose_originals = 3;
  Result<CampaignOutcome> outcome = Run(worse, Basic(), "worse");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message, "a: the worker was killed by signal 9");
  // The half that went well is stored: the first target is not built again.
  EXPECT_EQ(worse.mutants_built, 12);
  RunWell(worse, Basic(), "worse");
  EXPECT_EQ(worse.mutants_built, 24);
  EXPECT_EQ(Contents("worse"), reference);
}

TEST_F(CampaignTest, ALostCompilerLosesNothingAtAnyMoment) {
  std::string reference = Reference(Basic());
  for (int moment : {0, 5, 13, 23}) {
    World world;
    world.lose_compiler_after = moment;
    std::string out = "lost" + std::to_string(moment);
    Result<CampaignOutcome> outcome = Run(world, Basic(), out);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().message, "the compile server was killed by signal 9");
    int run = world.mutants_run;
    EXPECT_EQ(run, 0);  // before the first mutant the originals run on all devices
    RunWell(world, Basic(), out);
    EXPECT_EQ(Contents(out), reference) << moment;
    EXPECT_EQ(world.mutants_built, 25);  // the one under way was lost
    World whole;
    RunWell(whole, Basic(), "whole" + std::to_string(moment));
    EXPECT_EQ(world.mutants_run, whole.mutants_run) << run;
  }
}

TEST_F(CampaignTest, MutantsAreRunAgainAsOftenAsAsked) {
  Json json = Basic();
  json["matrix"] = "full";
  World once;
  RunWell(once, json, "once");
  const std::string fates = Contents("once");
  World world;
  world.other_label_from_run = 3;
  for (const int runs : {1, 3, 4}) {
    json["mutant_repeats"] = runs;
    RunWell(world, json, "out");
    EXPECT_EQ(Contents("out"), fates) << runs;  // those of the first run
    auto store = Must(Store::OpenReadOnly(StorePath(Out("out"))));
    int again = 0;
    for (const char* device : {"a", "b"}) {
      std::map<std::string, int> dead;
      std::map<std::string, std::vector<StoredFate>> first;
      for (const StoredFate& fate : Must(store->Fates("net", device))) {
        first[fate.mutant].push_back(fate);
        dead[fate.mutant] += fate.ending != "ok";
      }
      std::map<std::string, std::vector<StoredMutantRun>> rows;
      for (const StoredMutantRun& row : Must(store->MutantRuns("net", device)))
        rows[row.mutant].push_back(row);
      for (const auto& [mutant, fates_of] : first) {
        ASSERT_EQ(rows[mutant].size(), dead[mutant] ? 0 : 5 * static_cast<size_t>(runs - 1));
        for (size_t i = 0; i < rows[mutant].size(); ++i) {
          const StoredMutantRun& row = rows[mutant][i];
          const StoredFate& fate = fates_of[i / static_cast<size_t>(runs - 1)];
          EXPECT_EQ(row.image, fate.image);
          EXPECT_EQ(row.run, 2 + static_cast<int>(i) % (runs - 1));
          EXPECT_EQ(row.ending, "ok");
          EXPECT_EQ(row.label, row.run >= 3 ? 5 : fate.top_json.substr(0, 3) == "[[7" ? 7 : 1);
          ++again;
        }
      }
    }
    EXPECT_EQ(again > 0, runs > 1);
  }
  // Each run once, whatever was stored before; and nothing more when it is all there.
  EXPECT_EQ(std::max_element(world.runs.begin(), world.runs.end(),
                             [](auto& a, auto& b) { return a.second < b.second; })
                ->second,
            4);
  const int run = world.mutants_run;
  RunWell(world, json, "out");
  EXPECT_EQ(world.mutants_run, run);
}

// Two servers under one device, each with noise of its own: the worse of them is the device's.
TEST_F(CampaignTest, ANoisyFarmIsMeasuredServerByServer) {
  World world;
  world.noise = {{"board 1", 0.25f}, {"board 2", 0.5f}};
  Json config = Basic();
  config["repeats"] = 3;
  RunWell(world, config, "out");
  auto store = fakes::Must(Store::OpenReadOnly(StorePath(Out("out"))));
  const auto repeats = fakes::Must(store->Repeats("net"));
  EXPECT_EQ(repeats.size(), 2 * 5u);
  for (const StoredRepeat& row : repeats) {
    EXPECT_EQ(row.runs, 3 * 2);
    EXPECT_EQ(row.labels_json, "[1,1,1,1,1,1]");
    EXPECT_EQ(row.spread_json, "[1.25]");  // the third run of the second to the first of the first
  }
  std::set<std::string> lines;
  for (const auto& [kind, text] : fakes::Must(store->Events()))
    if (kind == "device") lines.insert(text);
  EXPECT_TRUE(lines.contains("a: repeat noise of board 1: 0.5; 0.5 to the first run"));
  EXPECT_TRUE(lines.contains("a: repeat noise of board 2: 1; 1.25 to the first run"));
}

TEST_F(CampaignTest, AFindingAboutADeviceIsToldOnce) {
  World world;
  world.findings = {"the original on board 2 gives other results"};
  RunWell(world, Basic(), "out");
  EXPECT_THAT(said_, HasSubstr("a: the original on board 2 gives other results"));
  auto store = fakes::Must(Store::OpenReadOnly(StorePath(Out("out"))));
  int told = 0;
  for (const auto& [kind, text] : fakes::Must(store->Events()))
    told += kind == "finding" && text == "a: the original on board 2 gives other results";
  EXPECT_EQ(told, 1);
}

TEST_F(CampaignTest, NoiseThatNobodyMeasuresIsRefused) {
  World world;
  world.noise = {{"board 1", 0.25f}};
  Json config = Basic();
  config["repeats"] = 1;
  Result<CampaignOutcome> outcome = Run(world, config, "out");
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().message.find("\"repeats\" of 2 or more"), std::string::npos)
      << outcome.error().message;
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
  EXPECT_THAT(outcome->pending_reason,
              HasSubstr("1 mutant left pending: the worker was killed by signal 9"));
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
  parts.open_session = [&](const DeviceConfig&,
                           const std::string&) -> Result<std::unique_ptr<Session>> {
    ++opened;
    return Fail(Code::kUnavailable, "the worker does not start");
  };
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  Result<CampaignOutcome> outcome =
      RunCampaign(Parsed(Basic()), {.out = Out("out")}, parts, progress);
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
  EXPECT_EQ(outcome->pending_reason, "a: 1 mutant left pending: fork: no memory");
}

TEST_F(CampaignTest, ExecuteNeedsNoGeneratorAndNoUserFiles) {
  std::string reference = Reference(Basic());
  World world;
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  ASSERT_TRUE(
      BuildCampaign(Parsed(Basic()), {.out = Out("out")}, fakes::Parts(world), progress).ok());
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

TEST_F(CampaignTest, BadFoldersAreRefused) {
  World world;
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(Run(world, Basic(), "file").error().message,
            Out("file") + ": is a file; --out names a folder");
  // Root may write everywhere but there.
  Progress progress({.verbosity = Verbosity::kQuiet, .write = [](const std::string&) {}});
  Result<CampaignOutcome> nowhere =
      RunCampaign(Parsed(Basic()), {.out = "/proc/mutatenn"}, fakes::Parts(world), progress);
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, Code::kIo);
  EXPECT_THAT(nowhere.error().message, HasSubstr("cannot create /proc/mutatenn"));
  fs::create_directory(folder_ / "closed");
  fs::permissions(folder_ / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  if (::access(Out("closed").c_str(), W_OK) == 0) return;  // root
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
