// What a child and the worker share: where the child is, how it ended in its own words, and one
// record per finished image. A child may be shot or damage memory at any time, so a record counts
// only when its checksum does.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "judge/judge.h"
#include "worker/arena.h"

namespace mutatenn {

enum class Phase : int32_t { kSetup, kWeights, kImages, kDone };

// How a child ended by its own decision; its exit status is kExitBase + this.
enum class Outcome : int32_t {
  kNone,         // it did not decide: crashed, shot, or the mutant called exit()
  kFinished,     // all images done, or stopped at the first kill
  kKernelError,  // the mutant's kernel reported an error: `text`
  kOutOfBounds,  // `access` is filled; the mutant runs again in plain memory
  kOutOfMemory,  // over its address space
  kToolError,    // our fault: `text`
};
inline constexpr int kExitBase = 100;

enum class BufferKind : int32_t { kInput, kOutput, kWorkspace };

struct Access {  // outside a buffer of a guarded step
  int32_t step = 0;
  BufferKind kind = BufferKind::kInput;
  int32_t index = 0;
  int64_t offset = 0;
};

// Seconds of a child's life and counts, for `--stats` alone: nothing is decided by them, and a
// mutant may have damaged them.
struct ChildFigures {
  double running_at = 0, ended_at = 0;  // monotonic clock; our code begins, its last word
  double load_s = 0, kernels_s = 0, remake_s = 0, compare_s = 0, guard_copy_s = 0, guard_run_s = 0;
  double images = 0, steps = 0, steps_run = 0;
};

struct Progress {
  std::atomic<Phase> phase = Phase::kSetup;
  std::atomic<int32_t> image = 0;       // position in the job's list of images
  std::atomic<int32_t> step = -1;       // index of the mutant's step
  std::atomic<int64_t> started_ns = 0;  // of the phase, or of the image (monotonic clock)
  std::atomic<int32_t> completed = 0;   // records written
  std::atomic<Outcome> outcome = Outcome::kNone;
  std::atomic<bool> inside = false;  // no image will have it touch anything outside its memory
  Access access;
  ChildFigures figures;
  char text[512] = {};
};

struct Record {
  uint64_t checksum = 0;  // of all that follows it, up to the end of the record
  int32_t image = 0;      // position in the job's list
  int32_t infected = 0;
  int32_t dirty_steps = 0;
  int32_t first_diverging = -1;  // index of the mutant's step
  int32_t nonfinite = 0;
  int32_t top_count = 0;
  double max_abs_diff = 0;
  double seconds = 0;
};  // followed by `top_k` Ranked, then by `extra` bytes

// The shared pages of one child.
class SharedRegion {
 public:
  static Result<SharedRegion> Make(int records, int top_k, int64_t extra_bytes);
  Progress& progress() const { return *reinterpret_cast<Progress*>(mapping_.data()); }
  // Child: writes the next record; `extra` has the size told to Make.
  void Append(Record record, const std::vector<Ranked>& top, std::span<const char> extra = {});
  // Worker: the n-th record of this child; false when it is damaged.
  bool Read(int index, Record* record, std::vector<Ranked>* top,
            std::vector<char>* extra = nullptr) const;
  int completed() const;  // never more than there is room for

 private:
  char* RecordAt(int index) const;

  Mapping mapping_;
  int records_ = 0, top_k_ = 0;
  int64_t extra_ = 0, stride_ = 0;
};

int64_t MonotonicNanoseconds();

}  // namespace mutatenn
