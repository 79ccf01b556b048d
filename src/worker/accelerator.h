// Mutants on an accelerator, as the worker sees them: one process of the worker's own
// (mutatenn-worker --accelerator) holds the device and runs them one after another. A fault, a hang
// or a lost device ends that process only; it is started again, takes the original's values over
// from the one before, and the mutant under way is run once more before its end counts, an image at
// a time. Some mutants are sent ahead, for the process to load while it runs another.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "device/session.h"

namespace mutatenn {

// Whether a program runs on something that this is for.
bool RunsOnAccelerator(const Program& program);

class Accelerator {
 public:
  static Result<std::unique_ptr<Accelerator>> Load(const LoadRequest& request);
  ~Accelerator();
  Accelerator(const Accelerator&) = delete;

  const std::string& name() const { return name_; }
  int64_t reference_bytes() const { return reference_bytes_; }
  bool idle() const { return waiting_.empty() && finished_.empty() && under_way_.empty(); }
  const WorkerStats& stats() const { return stats_; }
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images);
  Status Submit(const std::vector<MutantJob>& jobs);
  // As Session::Collect. kUnavailable: the device cannot be had any more.
  Result<std::vector<MutantDone>> Collect(double wait_s);
  Result<std::vector<std::vector<float>>> Outputs(const std::string& image);
  // A FloorRequest's JSON, or names of images, to floors and hashes of the loaded images.
  Result<Json> Floors(const Json& request);
  Result<Json> Hashes(const Json& images);
  // A Probe's JSON to a Probed's.
  Result<Json> RunProbe(const Json& probe);

 private:
  explicit Accelerator(LoadRequest request) : request_(std::move(request)) {}
  struct Task {
    MutantJob job;
    MutantDone done;
    int next = 0;       // position of the first image without a fate
    int suspect = -1;   // position of an end that has to be repeated
    int alone = -1;     // images from here on are run one at a time
    int batch = 1;      // images under way
    std::string step;   // the first mutated one
    bool first = true;  // no answer yet: the device's compiler may be at work
  };

  Status Start();  // the process, with program and images
  Result<Json> Ask(const Json& request, double limit_s);
  Result<Json> AskAside(Json request, double images);
  Status SendAhead();
  Task& current() { return *under_way_.front(); }
  void Answer(const Json& message);
  // The process ended, or the kernel failed, in the current task.
  void Failed(Ending ending, const std::string& detail);
  void Finish();
  double Allowed() const;
  // Nothing that was sent will be answered.
  void TakeBack();
  void CountTime();
  std::string ReferenceFile() const;

  LoadRequest request_;
  std::string name_;
  int64_t reference_bytes_ = 0;
  int references_ = -1;  // a file in memory
  std::vector<ImageInput> images_;
  std::vector<OriginalRun> runs_;
  std::unique_ptr<Process> process_;
  std::deque<std::unique_ptr<Task>> waiting_;
  std::deque<std::unique_ptr<Task>> under_way_;  // sent, in order; the first one runs
  double started_at_ = 0;                        // the first one, or its image under way
  double counted_at_ = 0;                        // until when the time is in stats_; 0: idle
  WorkerStats stats_;
  std::vector<MutantDone> finished_;
};

// The body of `mutatenn-worker --accelerator`: serves one Accelerator over the socket `fd`. Returns
// the exit status.
int ServeAccelerator(int fd);

}  // namespace mutatenn
