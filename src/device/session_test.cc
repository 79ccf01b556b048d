// What every session has to do (conformance: add new sessions to kSessions), and how a local worker
// starts, computes and ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "device/session_testing.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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
