// What a local worker makes of mutants, those that misbehave above all, and that no way of running
// them (budget, jobs, order, the slow oracle) changes a fate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "base/sanitizer.h"
#include "device/session_testing.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(LocalSession, FillsFates) {
  auto images = Small().Images(2);
  Finished finished =
      RunAll(Small().Request(), images,
             {Small().Replace("same", images), Small().Replace("tiny", images),
              Small().Replace("below_relu", images), Small().Replace("nan", images),
              Small().Replace("unwritten", images), Small().Replace("workspace", images)});
  for (const char* name : {"same", "workspace"}) {
    const Fate& fate = finished[name].fates[0];
    EXPECT_FALSE(fate.infected) << name;
    EXPECT_EQ(fate.dirty_steps, 0);
    EXPECT_EQ(fate.first_diverging_step, "");
    EXPECT_EQ(fate.max_abs_diff, 0);
  }
  const Fate& tiny = finished["tiny"].fates[0];
  EXPECT_TRUE(tiny.infected);
  // b[3] is negative there, so relu hides the first; d differs, and y.
  EXPECT_EQ(tiny.first_diverging_step, "b");
  EXPECT_EQ(tiny.first_diverging_layer, "layer_b");
  EXPECT_EQ(tiny.dirty_steps, 3);
  EXPECT_NEAR(tiny.max_abs_diff, 0.001 * (1 - 3 * 0.03125), 1e-6);
  EXPECT_FALSE(tiny.nonfinite);
  EXPECT_GT(tiny.seconds, 0);
  EXPECT_TRUE(finished["nan"].fates[0].nonfinite);
  // Reads its own output before it wrote it: not an access outside, and 0 in the plain layout.
  EXPECT_EQ(finished["unwritten"].out_of_bounds, std::nullopt);
  EXPECT_TRUE(finished["unwritten"].fates[0].infected);
}

// The program has five steps on an image (a, b, c, d, y). `same` runs b and d, whose kernel is
// replaced, and no other; `tiny` infects from b on: b, c, d, y.
TEST(LocalSession, CountsStepsAndTime) {
  auto images = Small().Images(1);
  auto session = OpenLocal();
  Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  Good(session->Submit({Small().Replace("same", images), Small().Replace("tiny", images)}));
  CollectAll(*session, 2);
  WorkerStats stats = Good(session->Stats());
  EXPECT_EQ(stats.children, 2);
  EXPECT_EQ(stats.images, 2);
  EXPECT_EQ(stats.steps, 10);
  EXPECT_EQ(stats.steps_run, 2 + 4);
  double parts = 0;
  for (double WorkerStats::*part :
       {&WorkerStats::fork_s, &WorkerStats::load_s, &WorkerStats::kernels_s,
        &WorkerStats::compare_s, &WorkerStats::guard_copy_s, &WorkerStats::guard_run_s,
        &WorkerStats::exit_s}) {
    EXPECT_GT(stats.*part, 0);
    parts += stats.*part;
  }
  EXPECT_EQ(stats.remake_s, 0);
  EXPECT_LE(parts, stats.children_s);
  EXPECT_GT(stats.reference_s, 0);
  EXPECT_GT(stats.rpc_s, 0);
  EXPECT_EQ(stats.reference_bytes, 6 * 128);  // x, a, b, c, d, y of 96 bytes at multiples of 64
  EXPECT_GT(stats.worker_peak_bytes, 1 << 20);
  EXPECT_GT(stats.mutants_peak_bytes, 1 << 20);
}

// With no room for references the original's values are made again.
TEST(LocalSession, CountsValuesMadeAgain) {
  auto images = Small().Images(1);
  LoadRequest request = Small().Request();
  request.memory_budget_bytes = 0;
  auto session = OpenLocal();
  Good(session->Load(request));
  Good(session->SetImages(images));
  Good(session->Submit({Small().Replace("same", images)}));
  CollectAll(*session, 1);
  WorkerStats stats = Good(session->Stats());
  EXPECT_GT(stats.remake_s, 0);
  EXPECT_EQ(stats.steps_run, 2);  // of the mutant's; a and c are the original's
  // A second program starts from nothing, the session's figures do not.
  Good(session->Load(request));
  EXPECT_EQ(Good(session->Stats()).steps, 5);
}

TEST(LocalSession, StopsAtTheFirstKill) {
  auto images = Small().Images(6);
  MutantJob job = Small().Replace("subtract", images);
  std::vector<MutantJob> jobs = {job};
  Finished all = RunAll(Small().Request(), images, jobs);
  jobs[0].stop_at_kill = true;
  Finished early = RunAll(Small().Request(), images, jobs);
  auto session = OpenLocal();
  Good(session->Load(Small().Request()));
  auto originals = Good(session->SetImages(images));
  size_t first = 0;
  while (!KilledByTop1(originals[first].top, all["subtract"].fates[first].top)) ++first;
  ASSERT_EQ(all["subtract"].fates.size(), images.size());
  EXPECT_EQ(early["subtract"].fates.size(), first + 1);
}

// Each mutant that misbehaves, and what must be said of it on image0 (of two).
struct Bad {
  const char* variant;
  Ending ending;
  const char* detail;  // the fate's, a part
};
const std::vector<Bad> kBad = {
    {"crash", Ending::kCrashed, "SIGSEGV in step b"},
    {"spin", Ending::kTimeout, "time in step b"},
    {"sleep", Ending::kTimeout, "over its wall time in step b"},
    {"exhaust", Ending::kCrashed, "in step b"},
    {"workspace_huge", Ending::kCrashed, "out of memory in step b (limit 256 MiB)"},
    {"exit", Ending::kCrashed, "exit(0) in step b"},
    {"exit_finished", Ending::kCrashed, "exit(101) in step b"},
    {"fail", Ending::kCrashed, "ValueError: this kernel does not want to"},
    {"write_far", Ending::kCrashed, "SIGSEGV in step b"},
    {"print", Ending::kOk, ""},
    {"flaky", Ending::kOk, ""},
    {"write_behind", Ending::kOk, ""},
    {"write_before", Ending::kOk, ""},
    {"read_behind", Ending::kOk, ""},
    {"read_guard", Ending::kOk, ""},
    {"write_input", Ending::kOk, ""},
    {"workspace_behind", Ending::kOk, ""},
};

// A build with AddressSanitizer sets no address space limit, so these two would not end.
bool Skipped(const Bad& bad) {
  const std::string variant = bad.variant;
  return kAddressSanitized && (variant == "exhaust" || variant == "workspace_huge");
}

TEST(LocalSession, GivesEveryMisbehaviourItsFateAndHarmsNoOther) {
  auto images = Small().Images(2);
  std::vector<MutantJob> good = {Small().Replace("same", images), Small().Replace("tiny", images),
                                 Small().Replace("subtract", images)};
  Finished quiet = RunAll(Small().Request(), images, good);
  std::vector<MutantJob> jobs = good;
  for (const Bad& bad : kBad) {
    if (Skipped(bad)) {
      std::cout << "skipped under AddressSanitizer: " << bad.variant << "\n";
      continue;
    }
    jobs.push_back(Small().Replace(bad.variant, images));
    jobs.back().stop_at_kill = std::string(bad.variant) == "sleep";  // two seconds an image
    MutantJob again = good[jobs.size() % good.size()];               // good ones in between
    again.program.mutant += "_" + std::to_string(jobs.size());
    jobs.push_back(again);
  }
  LoadRequest request = Small().Request();
  request.jobs = 2;
  request.limits.wall_factor = 2;
  std::filesystem::remove(Small().root() / "flaky.flag");
  Finished finished = RunAll(request, images, jobs);
  for (const Bad& bad : kBad) {
    if (Skipped(bad)) continue;
    const MutantDone& done = finished[bad.variant];
    EXPECT_EQ(done.tool_error, "") << bad.variant;
    ASSERT_FALSE(done.fates.empty()) << bad.variant;
    EXPECT_EQ(done.fates[0].ending, bad.ending) << bad.variant << ": " << done.fates[0].detail;
    EXPECT_THAT(done.fates[0].detail, HasSubstr(bad.detail)) << bad.variant;
    EXPECT_EQ(done.fates[0].top.empty(), bad.ending != Ending::kOk) << bad.variant;
  }
  ExpectSame(quiet, finished);
  for (auto& [name, done] : finished) {
    size_t cut = name.rfind('_');
    if (cut == std::string::npos || !quiet.contains(name.substr(0, cut))) continue;
    MutantDone twin = quiet[name.substr(0, cut)];
    twin.mutant = name;
    EXPECT_EQ(Lasting(twin), Lasting(done));
  }
  using Where = std::optional<OutOfBounds>;
  EXPECT_EQ(finished["write_behind"].out_of_bounds, (Where{{"b", "output 0", 96}}));
  EXPECT_EQ(finished["write_before"].out_of_bounds->buffer, "output 0");
  EXPECT_EQ(finished["read_behind"].out_of_bounds, (Where{{"b", "input 0", 96}}));
  EXPECT_EQ(finished["read_guard"].out_of_bounds, (Where{{"b", "input 0", 128}}));
  EXPECT_EQ(finished["write_far"].out_of_bounds->step, "b");
  EXPECT_EQ(finished["write_input"].out_of_bounds, (Where{{"b", "input 1", 8}}));
  EXPECT_EQ(finished["workspace_behind"].out_of_bounds, (Where{{"b", "workspace", 96}}));
  for (const char* name : {"same", "crash", "spin", "print", "flaky"})
    EXPECT_EQ(finished[name].out_of_bounds, std::nullopt) << name;
  // What it wrote outside is lost in plain memory: as a deployment would have behaved.
  EXPECT_FALSE(finished["write_behind"].fates[0].infected);
  EXPECT_FALSE(finished["write_input"].fates[0].infected);
  // Behind input 0 (a) lies input 1 (bias) in the plain layout: b[0] += bias[0].
  EXPECT_TRUE(finished["read_guard"].fates[0].infected);
  EXPECT_TRUE(finished["print"].fates.size() == 2 && !finished["print"].fates[1].infected);
}

// Where no access rests on a value, the first image has shown them all; that is believed.
TEST(LocalSession, LooksOutsideOnceWhereThatIsEnough) {
  auto images = Small().Images(2);
  const char* const variant = "write_behind_on_second";
  MutantJob each = Small().Replace(variant, images), once = each, known = each;
  once.program.mutant = "once";
  once.program.replaced.at("add").fixed_accesses = true;
  known.program.mutant = "known";
  known.outside_known = true;
  auto session = OpenLocal();
  Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  auto run = [&](const std::vector<MutantJob>& jobs) {
    Good(session->Submit(jobs));
    return CollectAll(*session, jobs.size());
  };
  Finished first = run({each, once, known});
  EXPECT_TRUE(first[variant].out_of_bounds.has_value());
  for (const char* name : {"once", "known"}) {
    EXPECT_EQ(first[name].out_of_bounds, std::nullopt) << name;
    ASSERT_EQ(first[name].fates.size(), 2u) << name;
    EXPECT_FALSE(first[name].fates[1].infected) << name;
  }
  // Known from one chunk to the next, for as long as the program is loaded.
  Good(session->SetImages({images[1]}));
  each.images = once.images = {images[1].id};
  const double before_s = Good(session->Stats()).guard_run_s;
  EXPECT_EQ(run({once})["once"].out_of_bounds, std::nullopt);
  EXPECT_EQ(Good(session->Stats()).guard_run_s, before_s);
  EXPECT_TRUE(run({each})[variant].out_of_bounds.has_value());
}

TEST(LocalSession, PlacesACrashAtItsImage) {
  auto images = Small().Images(4);  // a[0] is negative on the odd ones
  auto fates = RunAll(Small().Request(), images,
                      {Small().Replace("crash_on_second", images)})["crash_on_second"]
                   .fates;
  ASSERT_EQ(fates.size(), 4u);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(fates[i].ending, i % 2 ? Ending::kCrashed : Ending::kOk) << i;
  MutantJob early = Small().Replace("crash_on_second", images);
  early.stop_at_kill = true;
  EXPECT_EQ(RunAll(Small().Request(), images, {early})["crash_on_second"].fates.size(), 2u);
}

TEST(LocalSession, CallsAToolErrorOneAndNotAVerdict) {
  auto images = Small().Images(2);
  MutantJob missing = Small().Replace("same", images);
  missing.program.mutant = "missing";
  missing.program.replaced["add"] = {"add", "add", "no-such-library.so", "other code"};
  Finished finished =
      RunAll(Small().Request(), images, {missing, Small().Replace("shoot", images)});
  EXPECT_THAT(finished["missing"].tool_error, HasSubstr("no-such-library.so"));
  EXPECT_THAT(finished["shoot"].tool_error, StartsWith("killed by the system"));
  EXPECT_TRUE(finished["missing"].fates.empty());
}

// Graph mutants: other kernels, fewer steps, other weights.
std::vector<MutantJob> GraphMutants(const std::vector<ImageInput>& images) {
  std::vector<MutantJob> jobs;
  Program p = Small().Make();
  p.kernels["negate"] = Small().MakeKernel("negate", "negate");
  p.steps[3].kernel = "negate";
  jobs.push_back(Small().Changed("relu_to_negate", p, images));
  p = Small().Make();
  p.kernels["tall"] = Small().MakeKernel("tall", "relu_tall");
  p.steps[3].kernel = "tall";
  p.steps[3].views = {{0, {SmallProgram::kElements, 1}}};
  jobs.push_back(Small().Changed("read_as_column", p, images));
  p = Small().Make();
  p.steps.erase(p.steps.begin() + 2);  // without b: c reads a
  p.steps[2].inputs = {p.FindValue("a")};
  p.values[static_cast<size_t>(p.FindValue("b"))] = {
      "unused", Value::Kind::kWeight, {{1, 24}, "float32"}, "w.bin", 0};
  jobs.push_back(Small().Changed("no_bias", p, images));
  p = Small().Make();
  Small().WriteFloats("w_other.bin", SmallProgram::Ramp(0.5f, 0.25f));
  p.values[1].file = "w_other.bin";
  jobs.push_back(Small().Changed("other_weights", p, images));
  p = Small().Make();
  Small().WriteFloats("w_copy.bin", SmallProgram::Ramp(0.5f, 0.125f));
  p.values[1].file = "w_copy.bin";
  jobs.push_back(Small().Changed("same_weights", p, images));
  p = Small().Make();
  for (size_t v = 4; v < p.values.size(); ++v) p.values[v].name += "_new";
  for (Step& step : p.steps) step.name += "_new";
  jobs.push_back(Small().Changed("other_names", p, images));
  p.kernels["negate"] = Small().MakeKernel("negate", "negate");
  p.steps[3].kernel = "negate";
  jobs.push_back(Small().Changed("other_names_negate", p, images));
  return jobs;
}

std::vector<MutantJob> ManyMutants(const std::vector<ImageInput>& images) {
  std::vector<MutantJob> jobs = GraphMutants(images);
  for (const char* variant :
       {"same", "tiny", "subtract", "below_relu", "nan", "unwritten", "workspace",
        "crash_on_second", "write_behind", "write_before", "read_behind", "read_guard", "write_far",
        "write_input", "workspace_behind", "exit", "fail"})
    jobs.push_back(Small().Replace(variant, images));
  jobs.push_back(Small().Replace("relu", images, "twice"));  // a mutated weight-only step
  jobs.back().program.mutant = "weight_step";
  return jobs;
}

TEST(LocalSession, RunsGraphMutants) {
  auto images = Small().Images(2);
  Finished finished = RunAll(Small().Request(), images, GraphMutants(images));
  EXPECT_EQ(finished["relu_to_negate"].fates[0].first_diverging_step, "c");
  ASSERT_EQ(finished["read_as_column"].fates[0].ending, Ending::kOk)
      << finished["read_as_column"].fates[0].detail;
  EXPECT_FALSE(finished["read_as_column"].fates[0].infected);
  EXPECT_EQ(finished["no_bias"].fates[0].first_diverging_step, "c");
  EXPECT_EQ(finished["other_weights"].fates[0].first_diverging_step, "w2");
  EXPECT_FALSE(finished["same_weights"].fates[0].infected);
  EXPECT_FALSE(finished["other_names"].fates[0].infected);
  EXPECT_EQ(finished["other_names_negate"].fates[0].first_diverging_step, "y_new");
}

TEST(LocalSession, FatesDependOnNeitherBudgetNorJobsNorOrder) {
  auto images = Small().Images(5);
  std::vector<MutantJob> jobs = ManyMutants(images);
  LoadRequest request = Small().Request();
  Finished usual = RunAll(request, images, jobs);
  for (int64_t budget : {int64_t{0}, int64_t{5 * 3 * 128}, int64_t{5 * 4 * 128}}) {
    request.memory_budget_bytes = budget;
    ExpectSame(usual, RunAll(request, images, jobs));
  }
  request.jobs = 2;
  std::reverse(jobs.begin(), jobs.end());
  ExpectSame(usual, RunAll(request, images, jobs));
}

TEST(LocalSession, AgreesWithTheSlowOracle) {
  auto images = Small().Images(4);
  std::vector<MutantJob> jobs = ManyMutants(images);
  Finished fast = RunAll(Small().Request(), images, jobs);
  for (MutantJob& job : jobs) job.slow_oracle = true;
  ExpectSame(fast, RunAll(Small().Request(), images, jobs), /*fates_only=*/true);
}

TEST(LocalSession, ABrokenExecutorDisagreesWithTheSlowOracle) {
  auto images = Small().Images(4);
  std::vector<MutantJob> jobs = {Small().Replace("subtract", images)};
  jobs.push_back(jobs[0]);
  jobs[1].program.mutant = "oracle";
  jobs[1].slow_oracle = true;
  for (const char* how : {"", "skip_last_step", "stale_reference", "wrong_image"}) {
    ::setenv("MUTATENN_SABOTAGE", how, 1);
    auto session = Good(OpenLocalSession(
        {.worker = WorkerPath("mutatenn-worker-sabotage"), .sabotage_allowed = true}));
    ::unsetenv("MUTATENN_SABOTAGE");
    Good(session->Load(Small().Request()));
    Good(session->SetImages(images));
    Good(session->Submit(jobs));
    Finished finished = CollectAll(*session, 2);
    int differing = 0;
    for (size_t i = 0; i < images.size(); ++i)
      differing += KilledByTop1(finished["subtract"].fates[i].top, finished["oracle"].fates[i].top);
    EXPECT_EQ(differing > 0, *how != '\0') << how;
  }
}

}  // namespace
}  // namespace mutatenn
