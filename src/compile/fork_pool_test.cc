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

using Work = std::function<std::vector<Json>(const std::vector<int>&)>;

Work Each(const std::function<Json(int)>& work) {
  return [work](const std::vector<int>& batch) {
    std::vector<Json> results;
    for (int item : batch) results.push_back(work(item));
    return results;
  };
}

Outcome RunAll(int count, const ForkPoolOptions& options, const std::function<Json(int)>& work) {
  std::vector<int> items;
  for (int i = 0; i < count; ++i) items.push_back(i);
  Outcome outcome;
  Status status = RunInChildren(
      items, options, Each(work),
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

TEST(ForkPool, ABatchThatFailsIsTakenApart) {
  std::vector<int> items = {0, 1, 2, 3, 4};
  std::map<int, std::string> results;
  std::vector<int> lost;
  const Status status = RunInChildren(
      items, {.jobs = 1, .batch = 3},
      [](const std::vector<int>& batch) {
        std::vector<Json> sizes;
        for (int item : batch) {
          if (item == 1) ::raise(SIGSEGV);
          sizes.push_back(std::to_string(batch.size()));
        }
        return sizes;
      },
      [&](int item, const Json& size) {
        results[item] = size.get<std::string>();
        return Ok();
      },
      [&](int item, const std::string&) {
        lost.push_back(item);
        return Ok();
      });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(lost, std::vector<int>{1});
  // What shared its child came once more, each in a child of its own.
  EXPECT_EQ(results, (std::map<int, std::string>{{0, "1"}, {2, "1"}, {3, "2"}, {4, "2"}}));
}

TEST(ForkPool, AnErrorOfTheCallerEndsIt) {
  int seen = 0;
  Status status = RunInChildren(
      {0, 1, 2}, {}, Each([](int item) { return Json(item); }),
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
