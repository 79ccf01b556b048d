// What a link that takes its time for each message is asked to carry: counts of requests, not time.
#include <gtest/gtest.h>

#include "device/network_session.h"
#include "device/tvm_server_testing.h"

namespace mutatenn {
namespace {

// The kernels come along, whatever their number.
TEST(RoundTrips, MutantsInAndOutAreOneRequest) {
  TestServer server;
  std::unique_ptr<NetworkSession> session =
      Good(NetworkSession::Open({.address = server.address()}));
  auto images = Small().Images(2);
  auto cost = [&, before = 0]() mutable {
    return session->round_trips() - std::exchange(before, session->round_trips());
  };
  Good(session->Load(Small().Request()));
  EXPECT_EQ(cost(), 2) << "what is missing; the call with that, which is little";
  Good(session->SetImages(images));
  EXPECT_EQ(cost(), 2);
  EXPECT_EQ(Good(session->Repeat(images, 5)).size(), 5u);
  EXPECT_EQ(cost(), 1) << "whatever the number of images and runs";
  std::vector<MutantJob> jobs;
  for (const char* kind : {"same", "tiny", "below_relu", "nan", "subtract"})
    jobs.push_back(Small().Replace(kind, images));
  size_t done = Good(session->Work(jobs, 30, 0)).size();
  EXPECT_EQ(cost(), 1);
  EXPECT_GT(done, 0u);
  while (done < jobs.size()) done += Good(session->Work({}, 30, 0)).size();
  cost();
  EXPECT_GE(Good(session->Stats()).children, 5);
  EXPECT_EQ(cost(), 0) << "they came with the last results";
}

// All before the first mutant: the second campaign's as the first's, but for files' bytes.
TEST(RoundTrips, TheBeginningIsTwo) {
  TestServer server;
  for (int campaign = 0; campaign < 2; ++campaign) {
    std::unique_ptr<NetworkSession> session =
        Good(NetworkSession::Open({.address = server.address()}));
    const Begun begun = Good(session->Begin({.load = Small().Request(),
                                             .images = Small().Images(3),
                                             .chunk_bytes = 1 << 30,
                                             .repeats = 5}));
    EXPECT_EQ(begun.repeated.size(), 5u);
    EXPECT_EQ(session->round_trips(), 2) << "what is missing; the rest";
    EXPECT_EQ(session->bytes_sent() > 0, campaign == 0);
  }
}

// Runs that repeat the first in every bit are sent once, and come out as Session's own would be.
TEST(RoundTrips, RepeatsAreThoseOfSingleCalls) {
  TestServer server;
  std::unique_ptr<NetworkSession> session =
      Good(NetworkSession::Open({.address = server.address()}));
  auto images = Small().Images(3);
  Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  auto together = Good(session->Repeat(images, 3));
  auto apart = Good(session->Session::Repeat(images, 3));
  ASSERT_EQ(together.size(), apart.size());
  for (size_t i = 0; i < apart.size(); ++i) {
    EXPECT_EQ(together[i].outputs, apart[i].outputs);
    ASSERT_EQ(together[i].runs.size(), apart[i].runs.size());
    for (size_t k = 0; k < apart[i].runs.size(); ++k)
      EXPECT_EQ(together[i].runs[k].image, apart[i].runs[k].image);
  }
  EXPECT_EQ(together[0].outputs[1][0].outputs[0], SmallProgram::Expected(1));
}

// The answer comes while the server still has something to do.
TEST(RoundTrips, AnAnswerComesBeforeTheServerIsIdle) {
  TestServer server;
  std::unique_ptr<NetworkSession> session =
      Good(NetworkSession::Open({.address = server.address()}));
  auto images = Small().Images(1);
  Good(session->Load(Small().Request()));
  Good(session->SetImages(images));
  // "spin" ends by its limit, long after "same".
  auto first = Good(
      session->Work({Small().Replace("same", images), Small().Replace("spin", images)}, 30, 1));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].mutant, "same");
  auto second = Good(session->Work({Small().Replace("tiny", images)}, 30, 0));
  size_t done = first.size() + second.size();
  while (done < 3) done += Good(session->Work({}, 30, 0)).size();
}

}  // namespace
}  // namespace mutatenn
