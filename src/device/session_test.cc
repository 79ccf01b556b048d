// How a local worker starts, computes and ends; what every session has to do is in
// tests/device/conformance_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>

#include "device/session_testing.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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
