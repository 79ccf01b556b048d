// Lists of rows from the thread that reads to the one that judges.
#include "analysis/judging_thread.h"

#include <utility>

namespace mutatenn {

JudgingThread::JudgingThread(std::function<Status(std::span<const StoredFate>)> judge)
    : judge_(std::move(judge)), thread_([this] { Loop(); }) {}

JudgingThread::~JudgingThread() {
  {
    std::lock_guard<std::mutex> guard(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void JudgingThread::Add(const StoredFate& row) {
  if (added_ == adding_.size()) adding_.emplace_back();
  adding_[added_++] = row;
}

Status JudgingThread::Judge() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !busy_; });
  if (!status_.ok()) return status_;
  adding_.swap(judging_);
  handed_ = std::exchange(added_, 0);
  busy_ = true;
  changed_.notify_all();
  return Ok();
}

Status JudgingThread::End() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !busy_; });
  return status_;
}

void JudgingThread::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return busy_ || ended_; });
    if (!busy_) return;
    lock.unlock();
    Status judged = judge_(std::span<const StoredFate>(judging_).first(handed_));
    lock.lock();
    if (status_.ok()) status_ = std::move(judged);
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace mutatenn
