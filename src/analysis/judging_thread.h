// Rows of one mutant after the other, judged beside the reading of the next one's. Rows are handed
// over in two lists that take turns, so that no memory goes from one thread to the other.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace mutatenn {

class JudgingThread {
 public:
  // `judge` is called in a thread of its own, for one list at a time, in the order of Judge().
  explicit JudgingThread(std::function<Status(std::span<const StoredFate>)> judge);
  ~JudgingThread();
  JudgingThread(const JudgingThread&) = delete;

  // Adds a row to the list that is not being judged.
  void Add(const StoredFate& row);
  // Hands the rows added since the last call over, once those before them are done; the first error
  // of all of them.
  Status Judge();
  // Waits for the last ones.
  Status End();

 private:
  void Loop();

  std::function<Status(std::span<const StoredFate>)> judge_;
  std::vector<StoredFate> adding_, judging_;  // longer than `added_`: strings keep their memory
  size_t added_ = 0, handed_ = 0;
  Status status_ = Ok();
  bool busy_ = false, ended_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace mutatenn
