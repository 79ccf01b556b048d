// Seconds for figures about the tool itself.
#pragma once

#include <time.h>

namespace mutatenn {

// `clock`: of the monotonic clock; or the CPU's, spent by this thread or by this process.
inline double SecondsNow(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now;
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Adds the seconds of its own life to `total`.
class AddSeconds {
 public:
  explicit AddSeconds(double& total, clockid_t clock = CLOCK_MONOTONIC)
      : total_(total), clock_(clock), start_(SecondsNow(clock)) {}
  ~AddSeconds() { total_ += SecondsNow(clock_) - start_; }
  AddSeconds(const AddSeconds&) = delete;
  AddSeconds& operator=(const AddSeconds&) = delete;

 private:
  double& total_;
  clockid_t clock_;
  double start_;
};

}  // namespace mutatenn
