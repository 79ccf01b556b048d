// What every session has to do (conformance: add new sessions to kSessions), what a worker makes of
// mutants that misbehave, and that no way of running them changes a fate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>

#include "device/small_program.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string WorkerPath(const std::string& name = "mutatenn-worker") {
  const char* folder = std::getenv("MUTATENN_BIN_DIR");
  CHECK(folder != nullptr, "MUTATENN_BIN_DIR is not set; run the tests by ctest");
  return std::string(folder) + "/" + name;
}

std::unique_ptr<Session> OpenLocal() {
  auto session = OpenLocalSession({.worker = WorkerPath()});
  CHECK(session.ok(), session.ok() ? "" : session.error().message);
  return std::move(session).value();
}

template <class T>
T Good(Result<T> result) {
  CHECK(result.ok(), result.ok() ? "" : result.error().message);
  return std::move(result).value();
}

using Finished = std::map<std::string, MutantDone>;

Finished CollectAll(Session& session, size_t count) {
  Finished finished;
  while (finished.size() < count)
    for (MutantDone& done : Good(session.Collect(30))) {
      EXPECT_FALSE(finished.contains(done.mutant)) << done.mutant << " came twice";
      finished[done.mutant] = done;
    }
  return finished;
}

// A fresh worker, the whole way.
Finished RunAll(const LoadRequest& request, const std::vector<ImageInput>& images,
                const std::vector<MutantJob>& jobs) {
  std::unique_ptr<Session> session = OpenLocal();
  Good(session->Load(request));
  Good(session->SetImages(images));
  Good(session->Submit(jobs));
  return CollectAll(*session, jobs.size());
}

// All of a result but its times.
std::string Lasting(const MutantDone& done) {
  Json json = ToJson(done);
  for (Json& fate : json["fates"]) fate.erase("seconds");
  return DumpJson(json);
}

void ExpectSame(const Finished& a, const Finished& b, bool fates_only = false) {
  for (const auto& [name, done] : a) {
    if (!b.contains(name)) continue;
    MutantDone left = done, right = b.at(name);
    if (fates_only) left.out_of_bounds = right.out_of_bounds = std::nullopt;
    EXPECT_EQ(Lasting(left), Lasting(right));
  }
}

SmallProgram& Small() {
  static SmallProgram small;
  return small;
}

// --- Conformance ---------------------------------------------------------------------------------

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Session>()> open;
};
const std::vector<Kind> kSessions = {{"null", MakeNullSession}, {"local", OpenLocal}};

class SessionConformance : public ::testing::TestWithParam<size_t> {
 protected:
  std::unique_ptr<Session> Open() { return kSessions[GetParam()].open(); }
};

TEST_P(SessionConformance, RunsTheOriginalInTheOrderOfImages) {
  auto session = Open();
  Good(session->Load(Small().Request()));
  auto runs = Good(session->SetImages(Small().Images(3)));
  ASSERT_EQ(runs.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(runs[static_cast<size_t>(i)].image, "image" + std::to_string(i));
    EXPECT_FALSE(runs[static_cast<size_t>(i)].top.empty());
  }
  EXPECT_FALSE(Good(session->Outputs("image1")).empty());
}

TEST_P(SessionConformance, ReturnsEachMutantOnceWithAFateAnImage) {
  auto session = Open();
  auto images = Small().Images(2);
  Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  Good(session->Submit({Small().Replace("same", images), Small().Replace("tiny", images)}));
  Finished finished = CollectAll(*session, 2);
  ASSERT_TRUE(finished.contains("same") && finished.contains("tiny"));
  for (const auto& [name, done] : finished) {
    EXPECT_EQ(done.tool_error, "");
    ASSERT_EQ(done.fates.size(), 2u);
    EXPECT_EQ(done.fates[0].image, "image0");
    EXPECT_EQ(done.fates[1].image, "image1");
  }
  EXPECT_TRUE(Good(session->Collect(0)).empty());
  Good(session->SetImages(Small().Images(1)));  // another chunk
  EXPECT_FALSE(session->Outputs("image1").ok());
}

TEST_P(SessionConformance, RefusesWhatItDoesNotKnow) {
  auto session = Open();
  auto images = Small().Images(2);
  EXPECT_FALSE(session->SetImages(images).ok()) << "nothing is loaded";
  Good(session->Load(Small().Request()));
  Good(session->SetImages({images[0]}));
  Status status = session->Submit({Small().Replace("same", images)});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kInvalidInput);
  EXPECT_THAT(status.error().message, HasSubstr("image1"));
  EXPECT_EQ(session->Outputs("nothing").ok(), false);
}

INSTANTIATE_TEST_SUITE_P(All, SessionConformance, ::testing::Range<size_t>(0, kSessions.size()),
                         [](const auto& info) { return kSessions[info.param].name; });

// --- The local worker ----------------------------------------------------------------------------

TEST(LocalSession, ComputesWhatTheProgramSays) {
  auto session = OpenLocal();
  LoadReply reply = Good(session->Load(Small().Request()));
  EXPECT_GT(reply.pid, 0);
  EXPECT_EQ(reply.reference_bytes_per_image, 6 * 128);
  auto runs = Good(session->SetImages(Small().Images(4)));
  for (int i = 0; i < 4; ++i) {
    std::vector<float> expected = SmallProgram::Expected(i);
    EXPECT_EQ(Good(session->Outputs("image" + std::to_string(i)))[0], expected);
    EXPECT_EQ(runs[static_cast<size_t>(i)].top[0].label,
              std::max_element(expected.begin(), expected.end()) - expected.begin());
  }
}

TEST(LocalSession, FillsFates) {
  auto images = Small().Images(2);
  Finished finished = RunAll(Small().Request(), images,
                             {Small().Replace("same", images), Small().Replace("tiny", images),
                              Small().Replace("below_relu", images),
                              Small().Replace("nan", images), Small().Replace("unwritten", images),
                              Small().Replace("workspace", images)});
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
    {"spin", Ending::kTimeout, "over its CPU time in step b"},
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

TEST(LocalSession, GivesEveryMisbehaviourItsFateAndHarmsNoOther) {
  auto images = Small().Images(2);
  std::vector<MutantJob> good = {Small().Replace("same", images), Small().Replace("tiny", images),
                                 Small().Replace("subtract", images)};
  Finished quiet = RunAll(Small().Request(), images, good);
  std::vector<MutantJob> jobs = good;
  for (const Bad& bad : kBad) {
    jobs.push_back(Small().Replace(bad.variant, images));
    jobs.back().stop_at_kill = std::string(bad.variant) == "sleep";  // one second an image
    MutantJob again = good[jobs.size() % good.size()];               // good ones in between
    again.program.mutant += "_" + std::to_string(jobs.size());
    jobs.push_back(again);
  }
  LoadRequest request = Small().Request();
  request.jobs = 2;
  request.limits.wall_factor = 5;
  std::filesystem::remove(Small().root() / "flaky.flag");
  Finished finished = RunAll(request, images, jobs);
  for (const Bad& bad : kBad) {
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

TEST(LocalSession, PlacesACrashAtItsImage) {
  auto images = Small().Images(4);  // a[0] is negative on the odd ones
  auto fates =
      RunAll(Small().Request(), images, {Small().Replace("crash_on_second", images)})
          ["crash_on_second"].fates;
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
  Finished finished = RunAll(Small().Request(), images, {missing, Small().Replace("shoot", images)});
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
  p.steps.erase(p.steps.begin() + 2);  // without b: c reads a
  p.steps[2].inputs = {p.FindValue("a")};
  p.values[static_cast<size_t>(p.FindValue("b"))] = {"unused", Value::Kind::kWeight,
                                                      {{1, 24}, "float32"}, "w.bin", 0};
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
  for (const char* variant : {"same", "tiny", "subtract", "below_relu", "nan", "unwritten",
                              "workspace", "crash_on_second", "write_behind", "write_before",
                              "read_behind", "read_guard", "write_far", "write_input",
                              "workspace_behind", "exit", "fail"})
    jobs.push_back(Small().Replace(variant, images));
  jobs.push_back(Small().Replace("relu", images, "twice"));  // a mutated weight-only step
  jobs.back().program.mutant = "weight_step";
  return jobs;
}

TEST(LocalSession, RunsGraphMutants) {
  auto images = Small().Images(2);
  Finished finished = RunAll(Small().Request(), images, GraphMutants(images));
  EXPECT_EQ(finished["relu_to_negate"].fates[0].first_diverging_step, "c");
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

TEST(LocalSession, AWorkerKilledFromOutsideIsUnavailable) {
  auto images = Small().Images(2);
  auto session = OpenLocal();
  LoadReply reply = Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  Good(session->Submit({Small().Replace("spin", images), Small().Replace("same", images)}));
  ASSERT_EQ(::kill(static_cast<pid_t>(reply.pid), SIGKILL), 0);
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto result = session->Collect(5);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::kUnavailable);
    EXPECT_THAT(result.error().message, HasSubstr("signal 9"));
  }
}

TEST(LocalSession, BadInputIsOneClearLine) {
  auto session = OpenLocal();
  LoadRequest request = Small().Request();
  request.program.kernels["add"].library = "gone.so";
  EXPECT_THAT(session->Load(request).error().message, HasSubstr("gone.so"));
  request = Small().Request();
  request.program.values[1].offset = 6400;
  EXPECT_THAT(session->Load(request).error().message, HasSubstr("w.bin: too short"));
  Good(session->Load(Small().Request()));
  std::string stub = Small().WriteFloats("short.bin", {1, 2});
  auto error = session->SetImages({{"short", stub}}).error();
  EXPECT_THAT(error.message, HasSubstr("short.bin: has 8 bytes, the program's input needs 96"));
  EXPECT_EQ(error.code, Code::kInvalidInput);
  EXPECT_FALSE(OpenLocalSession({.worker = "/nowhere/mutatenn-worker"}).ok());
  EXPECT_FALSE(OpenLocalSession({.worker = "/bin/cat"}).ok());
}

TEST(Worker, LinksTheRuntimeOnly) {
  std::string command = "readelf -d '" + WorkerPath() + "' 2>/dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text(1 << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  ASSERT_EQ(::pclose(pipe), 0) << "readelf (binutils) is needed";
  EXPECT_THAT(text, HasSubstr("libtvm_runtime.so"));
  EXPECT_THAT(text, Not(HasSubstr("libtvm_compiler")));
  EXPECT_THAT(text, Not(HasSubstr("libpython")));
}

}  // namespace
}  // namespace mutatenn
