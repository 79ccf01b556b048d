#include "compile/fork_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>

namespace mutatenn {
namespace {

struct Outcome {
  std::map<int, int> results;
  std::map<int, std::string> lost;
};

Outcome RunAll(int count, const ForkPoolOptions& options, const std::function<Json(int)>& work) {
  std::vector<int> items;
  for (int i = 0; i < count; ++i) items.push_back(i);
  Outcome outcome;
  Status status = RunInChildren(
      items, options, work,
      [&](int item, const Json& result) {
        EXPECT_TRUE(outcome.results.emplace(item, result.get<int>()).second) << "twice: " << item;
        return Ok();
      },
      [&](int item, const std::string& why) {
        outcome.lost[item] = why;
        return Ok();
      });
  EXPECT_TRUE(status.ok());
  return outcome;
}

TEST(ForkPool, EveryItemOnceWhateverTheJobs) {
  for (int jobs : {1, 2, 5}) {
    Outcome outcome =
        RunAll(37, {.jobs = jobs, .batch = 4}, [](int item) { return Json(item * item); });
    ASSERT_EQ(outcome.results.size(), 37u);
    for (const auto& [item, result] : outcome.results) EXPECT_EQ(result, item * item);
    EXPECT_TRUE(outcome.lost.empty());
  }
}

TEST(ForkPool, WhatCrashesOrEndsLosesOnlyItself) {
  Outcome outcome = RunAll(12, {.jobs = 2, .batch = 6}, [](int item) -> Json {
    if (item == 3) ::raise(SIGKILL);
    if (item == 7) std::_Exit(0);  // a child that says nothing
    return item;
  });
  EXPECT_EQ(outcome.results.size(), 10u);
  ASSERT_EQ(outcome.lost.size(), 2u);
  EXPECT_EQ(outcome.lost[3], "the compiler died: Killed");
  EXPECT_EQ(outcome.lost[7], "the compiler ended with status 0");
}

TEST(ForkPool, WhatNeverEndsIsStopped) {
  Outcome outcome = RunAll(4, {.jobs = 1, .batch = 4, .limit_s = 0.2}, [](int item) -> Json {
    while (item == 1) ::pause();
    return item;
  });
  EXPECT_EQ(outcome.results.size(), 3u);
  EXPECT_EQ(outcome.lost.count(1), 1u);
}

TEST(ForkPool, AnErrorOfTheCallerEndsIt) {
  int seen = 0;
  Status status = RunInChildren(
      {0, 1, 2}, {}, [](int item) { return Json(item); },
      [&](int, const Json&) -> Status {
        ++seen;
        return Fail(Code::kIo, "full");
      },
      [](int, const std::string&) { return Ok(); });
  EXPECT_EQ(status.error().message, "full");
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace mutatenn
