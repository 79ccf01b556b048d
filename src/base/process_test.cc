// Children that answer, print, hang, die and never start; the shell and cat serve as the children.
#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace mutatenn {
namespace {

std::unique_ptr<Process> StartShell(const std::string& script, ProcessOptions options = {}) {
  options.command = {"sh", "-c", script};
  auto process = Process::Start(options);
  EXPECT_TRUE(process.ok()) << process.error().message;
  return process.ok() ? std::move(*process) : nullptr;
}

TEST(ProcessTest, EchoesJsonLinesOverFdThree) {
  auto child = StartShell("exec cat <&3 >&3");
  Json message = {{"op", "hello"}, {"text", "two\nlines \xc3\xa9"}, {"n", 3}};
  ASSERT_TRUE(child->Send(message).ok());
  ASSERT_TRUE(child->Send(Json(7)).ok());
  auto first = child->Receive(20);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(*first, message);
  auto second = child->Receive(20);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(*second, Json(7));
}

TEST(ProcessTest, LargeMessagesBothWaysDoNotBlock) {
  auto child = StartShell("exec cat <&3 >&3");
  Json message = std::string(8 << 20, 'x');  // far over the socket's buffers, both ways at once
  ASSERT_TRUE(child->Send(message).ok());
  auto answer = child->Receive(60);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(*answer, message);
}

TEST(ProcessTest, TimeoutLeavesTheChannelUsable) {
  auto child = StartShell("read line <&3; echo \"$line\" >&3; exec cat <&3");
  auto nothing = child->Receive(0.02);
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, Code::kTimeout);
  ASSERT_TRUE(child->Send(Json("now")).ok());
  auto answer = child->Receive(20);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(*answer, Json("now"));
}

TEST(ProcessTest, DeathIsUnavailableWithStatusAndLastLines) {
  ProcessOptions options;
  options.name = "the helper";
  auto child = StartShell("for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3", options);
  auto answer = child->Receive(20);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(
      answer.error().message,
      "the helper (pid " + std::to_string(child->pid()) +
          ") exited with status 3; its last output: line 3 | line 4 | line 5 | line 6 | line 7");
  EXPECT_EQ(child->Send(Json(1)).error().code, Code::kUnavailable);  // and no SIGPIPE
}

TEST(ProcessTest, DeathBySignalIsNamed) {
  auto child = StartShell("kill -SEGV $$");
  auto answer = child->Receive(20);
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().message.find("was killed by signal 11 (Segmentation fault)"),
            std::string::npos)
      << answer.error().message;
}

TEST(ProcessTest, MissingProgramsAreNotFound) {
  ProcessOptions options;
  options.command = {"no-such-program-mutatenn"};
  EXPECT_EQ(Process::Start(options).error().code, Code::kNotFound);
  options.command = {"/no/such/program"};
  EXPECT_EQ(Process::Start(options).error().code, Code::kNotFound);
  options.command = {"/"};
  EXPECT_EQ(Process::Start(options).error().code, Code::kUnavailable);
}

TEST(ProcessTest, EnvironmentIsAddedAndFdsAreClosed) {
  int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  int ours = ::fcntl(raw, F_DUPFD, 57);  // not close-on-exec, as a library might leave one
  ::close(raw);
  ProcessOptions options;
  options.environment = {{"MUTATENN_TEST_VARIABLE", "a b"}, {"PATH", "/usr/bin:/bin"}};
  auto child = StartShell(
      "echo \"$MUTATENN_TEST_VARIABLE\"; test -e /proc/$$/fd/3 && echo has 3; test -e "
      "/proc/$$/fd/" +
          std::to_string(ours) + " && echo inherited; test \"$PATH\" = /usr/bin:/bin",
      options);
  auto status = child->Wait(20);
  ::close(ours);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(*status, 0);
  EXPECT_EQ(child->LastOutput(), "a b | has 3");
}

TEST(ProcessTest, KillEndsTheWholeGroup) {
  // The grandchild holds the other end of fd 3: the channel closes only when it too has died.
  auto child = StartShell("sleep 1000 & echo '\"ready\"' >&3; wait");
  ASSERT_TRUE(child->Receive(20).ok());
  EXPECT_FALSE(child->Poll().has_value());
  EXPECT_EQ(child->Wait(0).error().code, Code::kTimeout);
  child->Kill();
  auto closed = child->channel()->Receive(20);
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().code, Code::kUnavailable);
  auto status = child->Wait(20);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(DescribeWaitStatus(*status), "was killed by signal 9 (Killed)");
}

TEST(ProcessTest, DiesWithTheThreadThatStartedIt) {
  std::unique_ptr<Process> child;
  std::thread([&] { child = StartShell("exec sleep 1000"); }).join();
  auto status = child->Wait(20);
  ASSERT_TRUE(status.ok());
  EXPECT_TRUE(WIFSIGNALED(*status));
}

TEST(LineChannelTest, NoJsonIsAnErrorOfThePeer) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  LineChannel channel(pair[0]);
  ASSERT_EQ(::write(pair[1], "noise\n{\"a\":1}\n", 14), 14);
  EXPECT_EQ(channel.Receive(5).error().code, Code::kInternal);
  auto good = channel.Receive(5);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ((*good)["a"], 1);
  ::close(pair[1]);
  EXPECT_EQ(channel.Receive(5).error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace mutatenn
