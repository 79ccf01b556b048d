// The best of several short loops, since others use the machine too.
#include "worker/speed.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/clock.h"

namespace mutatenn {
namespace {

constexpr int kTries = 5;
constexpr int kSteps = 1 << 18;
constexpr int kChains = 12;  // independent, to hide the latency of each; all fit into registers
constexpr size_t kCopied = size_t{32} << 20;

using Four = float __attribute__((vector_size(16)));

Four MultiplyAdd(Four factor, Four more) {
  Four sums[kChains] = {};
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (Four& sum : sums) sum = sum * factor + more;
  }
  Four all = {};
  for (const Four& sum : sums) all += sum;
  return all;
}

}  // namespace

WorkerSpeed MeasureSpeed() {
  WorkerSpeed speed;
  std::vector<char> from(kCopied, 1), to(kCopied);
  volatile float factor = 0.5f;  // not known to the compiler
  [[maybe_unused]] volatile float sink = 0;
  for (int i = 0; i < kTries; ++i) {
    const float f = factor;
    double start_s = SecondsNow();
    sink = MultiplyAdd(Four{f, f, f, f}, Four{1, 2, 3, 4})[0];
    const double flop = 2.0 * 4 * kChains * kSteps;
    speed.gflops = std::max(speed.gflops, flop / (SecondsNow() - start_s) * 1e-9);
    from[static_cast<size_t>(i)] = 2;
    start_s = SecondsNow();
    std::memcpy(to.data(), from.data(), kCopied);
    const double bytes = kCopied;
    speed.copy_gb_s = std::max(speed.copy_gb_s, bytes / (SecondsNow() - start_s) * 1e-9);
    sink = to[static_cast<size_t>(i)];
  }
  return speed;
}

}  // namespace mutatenn
