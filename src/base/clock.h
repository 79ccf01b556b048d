// Seconds of the monotonic clock, for figures about the tool itself.
#pragma once

#include <time.h>

namespace mutatenn {

inline double SecondsNow() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Adds the seconds of its own life to `total`.
class AddSeconds {
 public:
  explicit AddSeconds(double& total) : total_(total), start_(SecondsNow()) {}
  ~AddSeconds() { total_ += SecondsNow() - start_; }
  AddSeconds(const AddSeconds&) = delete;
  AddSeconds& operator=(const AddSeconds&) = delete;

 private:
  double& total_;
  double start_;
};

}  // namespace mutatenn
