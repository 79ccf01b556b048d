// What one core can do at most, for docs/performance.md: fused multiply-adds a second on registers
// alone, and bytes a second of a triad over arrays far larger than the caches. Prints JSON.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRepeats = 200;  // short ones: one of them has the core to itself

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Lanes of the widest vector. Twelve independent chains of them hide the latency of a fused
// multiply-add (4 cycles, 2 a cycle) and stay in registers; they are variables and no array, which
// the compiler would keep in memory.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
constexpr int kChains = 12;
// The constraint of a vector register.
#if defined(__x86_64__)
#define MUTATENN_VECTOR "v"
#else
#define MUTATENN_VECTOR "w"
#endif
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

double FmaGflops() {
  constexpr int64_t kRounds = 400'000;
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    Vector factor = {}, term = {};
    for (int lane = 0; lane < kLanes; ++lane) {
      factor[lane] = 0.999f;
      term[lane] = 1e-3f * static_cast<float>(lane + repeat);
    }
    Vector a = term, b = term, c = term, d = term, e = term, f = term;
    Vector g = term, h = term, i = term, j = term, k = term, l = term;
    auto step = [&](Vector& sum) {
      sum = sum * factor + term;
      asm volatile("" : "+" MUTATENN_VECTOR(sum));  // neither merged nor moved out
    };
    auto start = Clock::now();
    for (int64_t round = 0; round < kRounds; ++round) {
      step(a), step(b), step(c), step(d), step(e), step(f);
      step(g), step(h), step(i), step(j), step(k), step(l);
    }
    double seconds = SecondsSince(start);
    volatile float keep = (a + b + c + d + e + f + g + h + i + j + k + l)[0];
    (void)keep;
    best = std::max(best, 2.0 * kLanes * kChains * kRounds / seconds / 1e9);
  }
  return best;
}

// a = b + s * c: two streams read, one written (its lines are also read first, which is not
// counted).
double TriadGigabytes() {
  constexpr size_t kElements = 32u << 20;
  std::vector<float> a(kElements), b(kElements, 1.0f), c(kElements, 2.0f);
  double best = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    float scale = 0.5f + static_cast<float>(repeat);
    auto start = Clock::now();
    for (size_t i = 0; i < kElements; ++i) a[i] = b[i] + scale * c[i];
    asm volatile("" : : "r"(a.data()) : "memory");
    best = std::max(best, 3.0 * sizeof(float) * kElements / SecondsSince(start) / 1e9);
  }
  return best;
}

}  // namespace

int main() {
  std::printf("{\"fma_gflops\": %.1f, \"triad_gb_per_s\": %.2f}\n", FmaGflops(), TriadGigabytes());
  return 0;
}
