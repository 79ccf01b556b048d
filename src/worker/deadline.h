// Ends this process when work in it takes too long: a kernel that hangs cannot be told to stop. The
// client sees the worker go.
#pragma once

#include <sys/time.h>

#include <cmath>

namespace mutatenn {

class Deadline {
 public:
  // In `seconds` from now SIGALRM, which nothing here catches; 0 = never.
  explicit Deadline(double seconds) { Set(seconds); }
  ~Deadline() { Set(0); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  static void Set(double seconds) {
    itimerval timer = {};
    timer.it_value.tv_sec = static_cast<time_t>(seconds);
    timer.it_value.tv_usec = static_cast<suseconds_t>(1e6 * (seconds - std::floor(seconds)));
    ::setitimer(ITIMER_REAL, &timer, nullptr);
  }
};

}  // namespace mutatenn
