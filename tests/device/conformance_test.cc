// What every session has to do, for each kind of device: results, crash, hang, what is refused, a
// device that is lost, two campaigns at once. A new session is one more entry of kSessions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <list>

#include "device/tvm_server_testing.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;

// A device and the session to it.
struct Device {
  virtual ~Device() = default;
  virtual std::unique_ptr<Session> Open() = 0;
  // Ends the worker of a session from outside; false where there is nothing to end.
  virtual bool Lose(const LoadReply&) { return false; }
  virtual SmallProgram& small() { return Small(); }  // for its instruction set
  bool runs = true;                                  // mutants really run
  bool recovers = true;                              // by itself, after Lose
};

struct NullDevice : Device {
  NullDevice() { runs = false; }
  std::unique_ptr<Session> Open() override { return MakeNullSession(); }
};

struct LocalDevice : Device {
  LocalDevice() { recovers = false; }  // the campaign starts another
  std::unique_ptr<Session> Open() override { return OpenLocal(); }
  bool Lose(const LoadReply& reply) override {
    return ::kill(static_cast<pid_t>(reply.pid), SIGKILL) == 0;
  }
};

struct RemoteDevice : Device {
  explicit RemoteDevice(size_t count) : servers(count) {}
  std::unique_ptr<Session> Open() override {
    std::vector<const TestServer*> all;
    for (const TestServer& server : servers) all.push_back(&server);
    return Good(OpenFarm(FarmOf(all)));
  }
  bool Lose(const LoadReply& reply) override {
    return ::kill(static_cast<pid_t>(reply.pid), SIGKILL) == 0;
  }
  std::list<TestServer> servers;
};

// Under QEMU. `make worker-aarch64` builds the worker and installs the rest.
struct ArmDevice : Device {
  static std::string Worker() {
    return std::string(std::getenv("MUTATENN_SOURCE_DIR")) +
           "/build-aarch64/mutatenn-worker-aarch64/mutatenn-worker";
  }
  std::unique_ptr<Session> Open() override { return Good(OpenFarm(FarmOf({&server}))); }
  SmallProgram& small() override {
    static SmallProgram small("aarch64-linux-gnu-gcc");
    return small;
  }
  bool Lose(const LoadReply& reply) override {
    return ::kill(static_cast<pid_t>(reply.pid), SIGKILL) == 0;
  }
  TestServer server{{}, {"qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu", Worker()}};
};

struct TrackerDevice : Device {
  std::unique_ptr<Session> Open() override {
    FarmOptions options = FarmOf({});
    options.tracker = tracker.address();
    options.key = "board";
    options.count = 2;  // two sessions, of two servers each, fit at once
    return Good(OpenFarm(options));
  }
  bool Lose(const LoadReply& reply) override {
    return ::kill(static_cast<pid_t>(reply.pid), SIGKILL) == 0;
  }
  TrackerDevice() { tracker.Await("board", 4); }
  TestTracker tracker;
  std::vector<std::string> arguments = {"--tracker", tracker.text(), "--key", "board"};
  TestServer a{arguments}, b{arguments}, c{arguments}, d{arguments};
};

// TVM's own server, to which the worker is uploaded. It serves one session at a time.
struct TvmDevice : Device {
  std::unique_ptr<Session> Open() override {
    TestTvmServer& server = servers.emplace_back();
    FarmOptions options = FarmOf({});
    options.servers = {server.address()};
    options.tvm_server = server.options();
    return Good(OpenFarm(options));
  }
  bool Lose(const LoadReply& reply) override {
    return ::kill(static_cast<pid_t>(reply.pid), SIGKILL) == 0;
  }
  std::list<TestTvmServer> servers;
};

struct TvmTrackerDevice : Device {
  std::unique_ptr<Session> Open() override {
    FarmOptions options = FarmOf({});
    options.tracker = tracker.address();
    options.key = "official";
    options.count = 1;
    options.tvm_server = a.options();
    return Good(OpenFarm(options));
  }
  bool Lose(const LoadReply& reply) override {
    return ::kill(static_cast<pid_t>(reply.pid), SIGKILL) == 0;
  }
  TvmTrackerDevice() { tracker.Await("official", 2); }
  TestTracker tracker;
  const std::string arguments = "--tracker " + tracker.text() + " --key official";
  TestTvmServer a{arguments}, b{arguments};
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Device>()> make;
  std::function<std::string()> missing = [] { return ""; };
};
template <class T, size_t... arguments>
std::unique_ptr<Device> Make() {
  return std::make_unique<T>(arguments...);
}
std::string NeedsTvmPython() {
  return TestTracker::Possible() ? "" : "tornado (make setup installs it)";
}
const std::vector<Kind> kSessions = {
    {"null", Make<NullDevice>},
    {"local", Make<LocalDevice>},
    {"remote", Make<RemoteDevice, 1>},
    {"farm", Make<RemoteDevice, 3>},
    {"tracker", Make<TrackerDevice>, NeedsTvmPython},
    {"tvm", Make<TvmDevice>, NeedsTvmPython},
    {"tvm_tracker", Make<TvmTrackerDevice>, NeedsTvmPython},
    {"aarch64", Make<ArmDevice>,
     [] {
       return std::filesystem::exists(ArmDevice::Worker()) ? ""
                                                           : "the worker (make worker-aarch64)";
     }},
};

class Conformance : public ::testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    const Kind& kind = kSessions[GetParam()];
    if (std::string missing = kind.missing(); !missing.empty())
      GTEST_SKIP() << "not here: " << missing;
    device = kind.make();
    session = device->Open();
  }
  SmallProgram& small() { return device->small(); }
  // By a worker of this machine, from kernels of its own.
  static Finished LocalFates(const std::vector<ImageInput>& images, std::vector<MutantJob> jobs) {
    for (MutantJob& job : jobs)
      for (auto& [key, kernel] : job.program.replaced)
        kernel = Small().MakeKernel(key, kernel.role);
    return RunAll(Small().Request(), images, jobs);
  }
  std::unique_ptr<Device> device;
  std::unique_ptr<Session> session;
};

TEST_P(Conformance, RunsTheOriginalInTheOrderOfImages) {
  LoadReply reply = Good(session->Load(small().Request()));
  EXPECT_NE(reply.cpu, "");
  auto runs = Good(session->SetImages(small().Images(3)));
  ASSERT_EQ(runs.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    std::string image = "image" + std::to_string(i);
    EXPECT_EQ(runs[static_cast<size_t>(i)].image, image);
    EXPECT_FALSE(runs[static_cast<size_t>(i)].top.empty());
    auto outputs = Good(session->Outputs(image));
    if (device->runs) {
      EXPECT_EQ(outputs[0], SmallProgram::Expected(i));
    }
  }
}

TEST_P(Conformance, ReturnsEachMutantOnceWithAFateAnImage) {
  auto images = small().Images(2);
  Good(session->Load(small().Request()));
  Good(session->SetImages(images));
  Good(session->Submit({small().Replace("same", images), small().Replace("tiny", images)}));
  Finished finished = CollectAll(*session, 2);
  ASSERT_TRUE(finished.contains("same") && finished.contains("tiny"));
  for (const auto& [name, done] : finished) {
    EXPECT_EQ(done.tool_error, "");
    ASSERT_EQ(done.fates.size(), 2u);
    EXPECT_EQ(done.fates[0].image, "image0");
    EXPECT_EQ(done.fates[1].image, "image1");
    if (device->runs) {
      EXPECT_EQ(done.fates[0].infected, name == "tiny");
    }
  }
  EXPECT_TRUE(Good(session->Collect(0)).empty());
  Good(session->SetImages(small().Images(1)));  // another chunk
  EXPECT_FALSE(session->Outputs("image1").ok());
}

TEST_P(Conformance, CrashesAndHangsAreFatesOfTheirMutantAlone) {
  if (!device->runs) GTEST_SKIP() << "runs nothing";
  auto images = small().Images(1);
  Good(session->Load(small().Request()));
  Good(session->SetImages(images));
  Good(session->Submit({small().Replace("crash", images), small().Replace("spin", images),
                        small().Replace("tiny", images)}));
  Finished finished = CollectAll(*session, 3);
  EXPECT_EQ(finished["crash"].fates[0].ending, Ending::kCrashed);
  EXPECT_THAT(finished["crash"].fates[0].detail, HasSubstr("SIGSEGV in step b"));
  EXPECT_EQ(finished["spin"].fates[0].ending, Ending::kTimeout);
  EXPECT_EQ(finished["tiny"].fates[0].ending, Ending::kOk);
}

TEST_P(Conformance, FatesAreThoseOfALocalWorker) {
  if (!device->runs) GTEST_SKIP() << "runs nothing";
  auto images = small().Images(3);
  std::vector<MutantJob> jobs;
  for (const char* kind : {"same", "tiny", "below_relu", "nan", "subtract", "read_behind", "crash"})
    jobs.push_back(small().Replace(kind, images));
  Program longer = small().Make();
  longer.steps[1].inputs = {longer.FindValue("x"), longer.FindValue("w")};
  jobs.push_back(small().Changed("graph", longer, images));
  Good(session->Load(small().Request()));
  Good(session->SetImages(images));
  Good(session->Submit(jobs));
  Finished here = CollectAll(*session, jobs.size());
  ExpectSame(LocalFates(images, jobs), here);
}

TEST_P(Conformance, RunsSingleStepsOnGivenValues) {
  Good(session->Load(small().Request()));
  const Program program = small().Make();
  const std::vector<float> x = SmallProgram::ImageElements(1), expected = SmallProgram::Expected(1);
  const int in = program.inputs[0], out = program.outputs[0];
  Probe put{.fresh = true};
  put.puts = {{"own", in, {reinterpret_cast<const char*>(x.data()), x.size() * sizeof(float)}}};
  auto first = session->Run(put);
  if (!device->runs) {
    EXPECT_EQ(first.error().code, Code::kUnsupported);
    return;
  }
  Probe run;
  for (int step = 1; step < std::ssize(program.steps); ++step)
    run.runs.push_back({step, {"own"}, "own"});
  run.gets = {{"own", out}};
  const std::string bytes = Good(session->Run(run)).values.at(0);
  EXPECT_EQ(bytes, std::string(reinterpret_cast<const char*>(expected.data()),
                               expected.size() * sizeof(float)));
}

TEST_P(Conformance, RefusesWhatItDoesNotKnow) {
  auto images = small().Images(2);
  EXPECT_FALSE(session->SetImages(images).ok()) << "nothing is loaded";
  Good(session->Load(small().Request()));
  Good(session->SetImages({images[0]}));
  Status status = session->Submit({small().Replace("same", images)});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kInvalidInput);
  EXPECT_THAT(status.error().message, HasSubstr("image1"));
  EXPECT_EQ(session->Outputs("nothing").ok(), false);
}

TEST_P(Conformance, RefusesInputsOfAnotherSize) {
  if (!device->runs) GTEST_SKIP() << "reads no image";
  Good(session->Load(small().Request()));
  auto error = session->SetImages({{"short", small().WriteFloats("short.bin", {1, 2})}}).error();
  EXPECT_EQ(error.code, Code::kInvalidInput);
  EXPECT_THAT(error.message, HasSubstr("has 8 bytes, the program's input needs 96"));
}

TEST_P(Conformance, ALostDeviceLosesNoMutant) {
  auto images = small().Images(2);
  LoadReply reply = Good(session->Load(small().Request()));
  Good(session->SetImages(images));
  if (!device->Lose(reply)) GTEST_SKIP() << "cannot be lost";
  auto use = [&]() -> Result<Finished> {
    TRY(session->Submit({small().Replace("tiny", images)}));
    Finished finished;
    while (finished.empty())
      for (MutantDone& done : TRY(session->Collect(5))) finished[done.mutant] = done;
    return finished;
  };
  Result<Finished> finished = use();
  if (!device->recovers) {
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().code, Code::kUnavailable);
    session = device->Open();
    Good(session->Load(small().Request()));
    Good(session->SetImages(images));
    finished = use();
  }
  EXPECT_EQ(Good(finished)["tiny"].fates.size(), 2u);
}

TEST_P(Conformance, TwoCampaignsAtOnce) {
  auto images = small().Images(2);
  std::vector<MutantJob> jobs = {small().Replace("same", images), small().Replace("tiny", images),
                                 small().Replace("subtract", images)};
  std::unique_ptr<Session> other = device->Open();
  for (Session* each : {session.get(), other.get()}) {
    Good(each->Load(small().Request()));
    Good(each->SetImages(images));
  }
  for (Session* each : {session.get(), other.get()}) Good(each->Submit(jobs));
  Finished a = CollectAll(*session, jobs.size()), b = CollectAll(*other, jobs.size());
  ExpectSame(a, b);
  EXPECT_EQ(a.size(), b.size());
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, ::testing::Range<size_t>(0, kSessions.size()),
                         [](const auto& info) { return kSessions[info.param].name; });

}  // namespace
}  // namespace mutatenn
