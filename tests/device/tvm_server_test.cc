// TVM's own RPC server: what is uploaded to it, what it does after a crash, and what is not for us.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/network_session.h"
#include "device/tvm_server_testing.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;

class TvmServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!TestTracker::Possible()) GTEST_SKIP() << "not here: tornado (make setup installs it)";
  }
  static FarmOptions OptionsOf(const TestTvmServer& server) {
    FarmOptions options = FarmOf({});
    options.servers = {server.address()};
    options.tvm_server = server.options();
    return options;
  }
  static std::string Notices(Session& session) {
    std::string text;
    for (const std::string& line : session.TakeNotices()) text += line + "\n";
    return text;
  }
};

// The server itself dies with a session of its own; only its owner can bring it back.
TEST_F(TvmServerTest, IsStartedAgainByTheRecoverCommandAfterACrashedSession) {
  TestTvmServer server;
  FarmOptions options = OptionsOf(server);
  options.recover = server.command();
  std::unique_ptr<Session> session = Good(OpenFarm(options));
  auto images = Small().Images(2);
  Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  server.KillSessions();
  Good(session->Submit({Small().Replace("crash", images), Small().Replace("tiny", images)}));
  Finished finished = CollectAll(*session, 2);
  EXPECT_EQ(finished["crash"].fates[0].ending, Ending::kCrashed);
  EXPECT_EQ(finished["tiny"].fates.size(), 2u);
  const std::string notices = Notices(*session);
  EXPECT_THAT(notices, HasSubstr("serves nobody any more after a session that crashed"));
  EXPECT_THAT(notices, HasSubstr("the recover command exited with status 0"));
}

TEST_F(TvmServerTest, SaysWhatToDoWhereNobodyStartsItAgain) {
  TestTvmServer server;
  FarmOptions options = OptionsOf(server);
  options.tries = 2;
  options.timeout_s = 3;
  std::unique_ptr<Session> session = Good(OpenFarm(options));
  Good(session->Load(Small().Request()));
  server.KillSessions();
  Result<std::vector<OriginalRun>> runs = session->SetImages(Small().Images(1));
  ASSERT_FALSE(runs.ok());
  EXPECT_EQ(runs.error().code, Code::kUnavailable);
  EXPECT_THAT(runs.error().message, HasSubstr("serves nobody any more"));
}

TEST_F(TvmServerTest, RefusesAnotherInstructionSet) {
  TestTvmServer server;
  FarmOptions options = OptionsOf(server);
  options.tvm_server->machine = "riscv64";
  Result<LoadReply> reply = Good(OpenFarm(options))->Load(Small().Request());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_THAT(reply.error().message,
              HasSubstr("the server's machine is x86_64, the device's target is for riscv64"));
}

TEST_F(TvmServerTest, NeedsItsKey) {
  TestTvmServer server("--key hikey");
  FarmOptions options = OptionsOf(server);
  options.tries = 1;
  EXPECT_THAT(Good(OpenFarm(options))->Load(Small().Request()).error().message,
              HasSubstr("asks for another key"));
  options.key = "hikey";
  Good(Good(OpenFarm(options))->Load(Small().Request()));
}

// A session keeps nothing; what was sent once lies in the cache.
TEST_F(TvmServerTest, SendsEachFileOnce) {
  TestTvmServer server;
  NetworkOptions options{.address = server.address(), .tvm_server = server.options()};
  auto images = Small().Images(2);
  int64_t first = 0;
  for (int i = 0; i < 2; ++i) {
    std::unique_ptr<NetworkSession> session = Good(NetworkSession::Open(options));
    Good(session->Load(Small().Request()));
    Good(session->SetImages(images));
    if (i == 0) first = session->bytes_sent();
    EXPECT_GT(first, 0);
    if (i == 1) {
      EXPECT_EQ(session->bytes_sent(), 0);
    }
  }
}

}  // namespace
}  // namespace mutatenn
