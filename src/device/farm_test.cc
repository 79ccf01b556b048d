// Remote workers: what is sent and kept, who is let in, and what is lost and found again when a
// connection, a worker or a server goes away in the middle.
#include "device/farm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <thread>

#include "device/farm_server.h"
#include "device/network_session.h"
#include "device/originals.h"
#include "device/server_testing.h"
#include "device/wire.h"

namespace mutatenn {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// What another thread does in its own time.
bool Eventually(const std::function<bool()>& happened) {
  for (int i = 0; i < 2000 && !happened(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return happened();
}

std::unique_ptr<NetworkSession> OpenOne(const TestServer& server) {
  NetworkOptions options;
  options.address = server.address();
  return Good(NetworkSession::Open(options));
}

// Enough mutants of different names to be under way when something happens.
std::vector<MutantJob> ManyJobs(const std::vector<ImageInput>& images, int count) {
  std::vector<MutantJob> jobs;
  const char* kinds[] = {"same", "tiny", "below_relu", "nan", "subtract", "crash"};
  for (int i = 0; i < count; ++i) {
    jobs.push_back(Small().Replace(kinds[static_cast<size_t>(i) % std::size(kinds)], images));
    jobs.back().program.mutant += std::to_string(i);
  }
  return jobs;
}

TEST(Remote, FilesAreSentOnceAndFoundByContent) {
  TestServer server;
  auto images = Small().Images(2);
  int64_t first = 0;
  for (int round = 0; round < 2; ++round) {
    auto session = OpenOne(server);
    Good(session->Load(Small().Request()));
    Good(session->SetImages(images));
    if (round == 0) first = session->bytes_sent();
    EXPECT_EQ(session->bytes_sent(), round == 0 ? first : 0);
    // Few mutants' kernels go along with them, unasked, once a session.
    Good(session->Submit({Small().Replace("tiny", images)}));
    CollectAll(*session, 1);
    const int64_t with_kernel = session->bytes_sent();
    Good(session->SetImages(images));
    Good(session->Submit({Small().Replace("tiny", images)}));
    CollectAll(*session, 1);
    EXPECT_EQ(session->bytes_sent(), with_kernel);
  }
  EXPECT_GT(first, 5 * 96);
  // A file that was damaged there is sent again under its name only by who asks for it; what is
  // there has the name of its content.
  for (const auto& entry : std::filesystem::directory_iterator(server.cache()))
    if (entry.is_regular_file()) {
      EXPECT_EQ(ContentName(entry.path().filename(), Good(ReadFile(entry.path()))),
                entry.path().filename().string());
    }
}

TEST(Remote, TheSecretLetsInAndKeepsOut) {
  std::string file = (Small().root() / "secret").string();
  Good(WriteFile(file, "0123456789abcdef\n"));
  TestServer server({"--secret-file", file}), open;
  NetworkOptions options;
  options.address = server.address();
  options.secret = "0123456789abcdef";
  Good(Good(NetworkSession::Open(options))->Load(Small().Request()));
  options.secret = "another secret of ours";
  EXPECT_THAT(NetworkSession::Open(options).error().message, HasSubstr("wrong secret"));
  options.secret = "";
  EXPECT_THAT(NetworkSession::Open(options).error().message, HasSubstr("asks for a secret"));
  // Nor does a client with a secret trust a server without one.
  options.secret = "0123456789abcdef";
  options.address = open.address();
  EXPECT_THAT(NetworkSession::Open(options).error().message, HasSubstr("asks for no secret"));
  // TVM's own client gets no further than a stranger.
  EXPECT_FALSE(Connect("127.0.0.1", server.address().port, "").ok());
}

TEST(Remote, OpenAddressesAreSaidAloud) {
  ProcessOptions options;
  options.command = {WorkerPath(), "serve",   "--listen",
                     "0.0.0.0:0",  "--cache", (Small().root() / "open").string()};
  options.socket = false;
  auto process = Good(Process::Start(options));
  for (int i = 0; i < 1500 && process->LastOutput(9).find("listening on tcp") == std::string::npos;
       ++i)
    (void)process->Wait(0.02);
  EXPECT_THAT(process->LastOutput(9), HasSubstr("can run any program as this user"));
}

TEST(Remote, AServerTellsHowTheLastWorkerEnded) {
  TestServer server;
  auto session = OpenOne(server);
  LoadReply reply = Good(session->Load(Small().Request()));
  ASSERT_EQ(::kill(static_cast<pid_t>(reply.pid), SIGSEGV), 0);
  auto lost = session->SetImages(Small().Images(1));
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, Code::kUnavailable);
  NetworkOptions options;
  options.address = server.address();
  options.after = reply.pid;
  std::string ended;
  EXPECT_TRUE(Eventually([&] {
    ended = Good(NetworkSession::Open(options))->ended();
    return !ended.empty();
  }));
  EXPECT_THAT(ended, HasSubstr("signal 11"));
}

TEST(Remote, ASessionsFolderIsRemovedHoweverItEnds) {
  TestServer server;
  for (bool killed : {false, true}) {
    auto session = OpenOne(server);
    const LoadReply reply = Good(session->Load(Small().Request()));
    const auto folder = server.cache() / "sessions" / std::to_string(reply.pid);
    EXPECT_TRUE(std::filesystem::is_directory(folder));
    EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(reply.pid) + "/cwd"), folder);
    Good(WriteFile(folder / "left", "by a mutant"));
    if (killed) {
      ASSERT_EQ(::kill(static_cast<pid_t>(reply.pid), SIGKILL), 0);
    }
    session.reset();
    EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(folder); })) << killed;
  }
}

TEST(Remote, NoAnswerIsALostServer) {
  TestServer server;
  NetworkOptions options;
  options.address = server.address();
  options.timeout_s = 1;
  auto session = Good(NetworkSession::Open(options));
  LoadReply reply = Good(session->Load(Small().Request()));
  ASSERT_EQ(::kill(static_cast<pid_t>(reply.pid), SIGSTOP), 0);
  auto silent = session->SetImages(Small().Images(1));
  ASSERT_FALSE(silent.ok());
  EXPECT_EQ(silent.error().code, Code::kUnavailable);
  EXPECT_THAT(silent.error().message, HasSubstr("does not answer"));
  ::kill(static_cast<pid_t>(reply.pid), SIGCONT);
}

TEST(Farm, SharesMutantsAndGivesTheFatesOfALocalWorker) {
  TestServer a, b, c;
  auto images = Small().Images(3);
  std::vector<MutantJob> jobs = ManyJobs(images, 30);
  Finished local = RunAll(Small().Request(), images, jobs);
  auto farm = Good(OpenFarm(FarmOf({&a, &b, &c})));
  Good(farm->Load(Small().Request()));
  Good(farm->SetImages(images));
  Good(farm->Submit(jobs));
  Finished remote = CollectAll(*farm, jobs.size());
  EXPECT_EQ(remote.size(), local.size());
  ExpectSame(local, remote);
  EXPECT_EQ(farm->workers(), 3);
  EXPECT_EQ(Joined(farm->TakeNotices()), "");
  EXPECT_GE(Good(farm->Stats()).children, 30);
}

TEST(Farm, GoesOnWhenAServerDiesForGood) {
  TestServer a, b, c;
  auto images = Small().Images(3);
  std::vector<MutantJob> jobs = ManyJobs(images, 60);
  Finished local = RunAll(Small().Request(), images, jobs);
  auto farm = Good(OpenFarm(FarmOf({&a, &b, &c})));
  Good(farm->Load(Small().Request()));
  Good(farm->SetImages(images));
  Good(farm->Submit(jobs));
  Finished remote;
  while (remote.size() < jobs.size())
    for (MutantDone& done : Good(farm->Collect(30))) {
      if (remote.size() == 5) b.Kill();
      EXPECT_EQ(done.tool_error, "");
      EXPECT_FALSE(remote.contains(done.mutant)) << done.mutant << " came twice";
      remote[done.mutant] = done;
    }
  ExpectSame(local, remote);
  EXPECT_TRUE(Eventually([&] { return farm->workers() == 2; }));
  std::string notices = Joined(farm->TakeNotices());
  EXPECT_THAT(notices, HasSubstr("quarantined " + b.address().Text() + " after 3 failures"));
}

TEST(Farm, ReconnectsLoadsAgainAndRunsWhatWasUnderWay) {
  TestServer server;
  auto images = Small().Images(3);
  std::vector<MutantJob> jobs = ManyJobs(images, 80);
  Finished local = RunAll(Small().Request(), images, jobs);
  auto farm = Good(OpenFarm(FarmOf({&server})));
  LoadReply reply = Good(farm->Load(Small().Request()));
  Good(farm->SetImages(images));
  Good(farm->Submit(jobs));
  Finished remote;
  while (remote.size() < jobs.size())
    for (MutantDone& done : Good(farm->Collect(30))) {
      if (remote.size() == 5) ::kill(static_cast<pid_t>(reply.pid), SIGKILL);
      EXPECT_EQ(done.tool_error, "");
      remote[done.mutant] = done;
    }
  ExpectSame(local, remote);
  std::string notices = Joined(farm->TakeNotices());
  EXPECT_THAT(notices, HasSubstr("lost " + server.address().Text()));
  EXPECT_THAT(notices, HasSubstr("its last worker was killed by signal 9"));
  EXPECT_EQ(farm->workers(), 1);
}

TEST(Farm, ALostServerIsRecoveredByTheUsersCommand) {
  TestServer server;
  auto images = Small().Images(1);
  FarmOptions options = FarmOf({&server});
  std::string mark = (Small().root() / "recovered").string();
  options.recover = "echo $MUTATENN_SERVER > " + mark;
  auto farm = Good(OpenFarm(options));
  LoadReply reply = Good(farm->Load(Small().Request()));
  ::kill(static_cast<pid_t>(reply.pid), SIGKILL);
  Good(farm->SetImages(images));
  EXPECT_EQ(Good(ReadFile(mark)), server.address().Text() + "\n");
}

TEST(Farm, WithoutAServerItIsUnavailable) {
  FarmOptions options;
  options.servers = {{"127.0.0.1", 1}};
  options.pause_s = 0.01;
  auto farm = Good(OpenFarm(options));
  auto load = farm->Load(Small().Request());
  ASSERT_FALSE(load.ok());
  EXPECT_EQ(load.error().code, Code::kUnavailable);
  EXPECT_THAT(load.error().message, HasSubstr("tcp://127.0.0.1:1"));
}

// A server whose original differs must not judge mutants. The second server's weights are damaged.
TEST(Farm, AServerWithAnotherOriginalIsQuarantined) {
  TestServer good, bad;
  auto images = Small().Images(2);
  LoadRequest request = Small().Request();
  {
    auto session = OpenOne(bad);
    Good(session->Load(request));  // the files are there now
  }
  std::string scale = ContentName("scale.bin", Good(ReadFile(Small().root() / "scale.bin")));
  std::vector<float> wrong(SmallProgram::kElements, 3.0f);
  Good(WriteFile(bad.cache() / scale,
                 {reinterpret_cast<const char*>(wrong.data()), wrong.size() * sizeof(float)}));
  auto farm = Good(OpenFarm(FarmOf({&good, &bad})));
  Good(farm->Load(request));
  Good(farm->SetImages(images));
  EXPECT_TRUE(Eventually([&] { return farm->workers() == 1; }));
  EXPECT_THAT(Joined(farm->TakeFindings()),
              HasSubstr(" gives other results than that of the other servers"));
  // At the beginning of a campaign all are asked at once, and no answer comes before all are known.
  auto early = Good(OpenFarm(FarmOf({&bad, &good})));
  Begun begun =
      Good(early->Begin({.load = request, .images = images, .chunk_bytes = 1 << 30, .repeats = 3}));
  EXPECT_TRUE(Eventually([&] { return early->workers() == 1; }));
  EXPECT_THAT(Joined(early->TakeFindings()), HasSubstr("gives other results than that of"));
  EXPECT_EQ(Joined(early->TakeNotices()), "");
  EXPECT_EQ(begun.runs.size(), 2u);
}

// What a farm and a single worker answer to all questions at once is what they answer one by one.
TEST(Farm, TheBeginningIsWhatSingleCallsGive) {
  TestServer a, b;
  const auto images = Small().Images(3);
  const BeginRequest request{
      .load = Small().Request(), .images = images, .chunk_bytes = 1 << 30, .repeats = 2};
  auto local = OpenLocal();
  const Begun alone = Good(local->Begin(request));
  auto farm = Good(OpenFarm(FarmOf({&a, &b})));
  const Begun begun = Good(farm->Begin(request));
  EXPECT_EQ(begun.chunk_images, alone.chunk_images);
  EXPECT_TRUE(SameResults(begun.runs, alone.runs));
  ASSERT_EQ(begun.repeated.size(), 2u);
  for (size_t run = 0; run < 2; ++run)
    for (size_t image = 0; image < images.size(); ++image) {
      ASSERT_EQ(begun.repeated[run].outputs[image].size(), 1u) << "they agree: one is enough";
      EXPECT_EQ(begun.repeated[run].outputs[image][0].outputs,
                alone.repeated[run].outputs[image][0].outputs);
    }
  EXPECT_EQ(farm->workers(), 2);
  // Both take mutants at once.
  Good(farm->Submit(ManyJobs(images, 12)));
  EXPECT_EQ(CollectAll(*farm, 12).size(), 12u);
  // Of images of which only some fit, these are run and the others left.
  auto small = Good(OpenFarm(FarmOf({&a})));
  const int64_t bytes = begun.reply.reference_bytes_per_image;
  BeginRequest less = request;
  less.chunk_bytes = 2 * bytes;
  EXPECT_EQ(Good(small->Begin(less)).runs.size(), 2u);
}

TEST(Farm, BadInputIsNoLoss) {
  TestServer server;
  auto farm = Good(OpenFarm(FarmOf({&server})));
  LoadRequest request = Small().Request();
  request.program.kernels["add"].library = "gone.so";
  auto load = farm->Load(request);
  ASSERT_FALSE(load.ok());
  EXPECT_THAT(load.error().message, HasSubstr("gone.so"));
  EXPECT_NE(load.error().code, Code::kUnavailable);
}

TEST(Farm, TwoCampaignsAtOnceOnOneServer) {
  TestServer server;
  auto images = Small().Images(2);
  std::vector<MutantJob> jobs = ManyJobs(images, 12);
  Finished local = RunAll(Small().Request(), images, jobs);
  auto first = Good(OpenFarm(FarmOf({&server}))), second = Good(OpenFarm(FarmOf({&server})));
  for (auto* farm : {&first, &second}) {
    Good((*farm)->Load(Small().Request()));
    Good((*farm)->SetImages(images));
  }
  for (auto* farm : {&first, &second}) Good((*farm)->Submit(jobs));
  for (auto* farm : {&first, &second}) ExpectSame(local, CollectAll(**farm, jobs.size()));
}

// The original's add gives 0.001 more each time it runs, in each server's own count.
TEST(Farm, NoisyServersAreUsedAndMeasured) {
  TestServer a, b;
  auto farm = Good(OpenFarm(FarmOf({&a, &b})));
  LoadRequest request = Small().Request();
  request.program.kernels["add"] = Small().MakeKernel("add", "noisy");
  Good(farm->Load(request));
  const auto images = Small().Images(2);
  const auto first = Good(farm->SetImages(images));
  EXPECT_TRUE(first[0].noisy && first[1].noisy);
  const auto repeats = Good(RepeatOriginals(*farm, images, first, 3));
  ASSERT_EQ(repeats.size(), 2u);
  const float scale = SmallProgram::Ramp(1.0f, -0.03125f)[3];
  for (const ImageRepeats& image : repeats) {
    EXPECT_EQ(image.labels.size(), 3 * 2u);
    ASSERT_EQ(image.workers.size(), 2u);
    // A run is two for the first image and two for the second, of two adds each: from the first
    // run to the third 2 * 4 * 2 adds.
    for (const auto& [name, noise] : image.workers)
      EXPECT_GE(noise.own, 0.9 * 0.001 * 16 * scale) << name;
    EXPECT_GE(image.spread[0], image.workers.begin()->second.own);
  }
  EXPECT_EQ(NoiseOfWorkers(repeats).size(), 2u);
  Good(farm->Submit({Small().Replace("subtract", images)}));
  EXPECT_EQ(CollectAll(*farm, 1).size(), 1u);
  EXPECT_EQ(Joined(farm->TakeNotices()), "");
  EXPECT_EQ(farm->workers(), 2);
}

}  // namespace
}  // namespace mutatenn
