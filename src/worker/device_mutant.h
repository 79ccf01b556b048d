// One mutant on an accelerator: all that it needs from the host, made while others run, and its run
// over a batch of images. Dirty propagation in two waves: first every changed step on the
// original's values, compared on the device; then, for images that these infected, all that their
// infections can reach, unseen. One wait after each. The fates are those of running step by step
// (executor.h), since a step whose inputs are the original's gives the original's outputs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "worker/arena.h"
#include "worker/device_executor.h"

namespace mutatenn {

class DeviceMutant {
 public:
  // Its plan, kernels, weights and weight-only steps. Touches no device and no state of the
  // executor that changes: another thread may run mutants meanwhile. What fails is told by Run.
  static std::unique_ptr<DeviceMutant> Prepare(const DeviceExecutor& executor, MutantJob job);

  const MutantJob& job() const { return job_; }
  const Status& loaded() const { return loaded_; }
  bool runs_mutated_kernel() const { return !culprit_.empty(); }
  const std::string& culprit() const { return culprit_; }  // the first mutated step's name

  struct Outcome {
    std::vector<Fate> fates;  // one an image
    std::optional<OutOfBounds> out_of_bounds;
    bool damaged = false;  // something shared; all is well again
  };
  // kTvm: a kernel failed. Where `damaged`, an image's fate may come of what another one did.
  Result<Outcome> RunBatch(DeviceExecutor& executor, const std::vector<int>& images);

 private:
  explicit DeviceMutant(MutantJob job) : job_(std::move(job)) {}
  Status Load(const DeviceExecutor& executor);
  Status RunWeightSteps(const Original& original);
  void PlaceValues(const DeviceExecutor& executor);

  // Where a value of the mutant lies during a run.
  enum class Home {
    kShared,      // a weight like the original's
    kWeight,      // a weight of its own
    kLikeTheirs,  // of the image; the original has one of the same name
    kExtra,       // of the image; the original has none, or it is a weight there
  };
  struct Run {  // of one image in a batch
    int image = -1;
    DeviceExecutor::Image* original = nullptr;
    LaidOut* own = nullptr;
    std::map<int, DeviceMemory> extra;
    std::vector<bool> dirty;          // by value
    std::vector<bool> again;          // by step: in the second wave
    std::vector<bool> own_is_theirs;  // by value: not computed, or known to be equal
  };
  struct Batch {
    DeviceExecutor& executor;
    std::vector<Run> runs;
    DeviceMemory report;  // flags of both waves for each image, then network outputs
    std::vector<uint32_t> words;
    int64_t FlagsAt(int wave, size_t run) const;
    int64_t OutputsAt() const { return 4 * FlagsAt(2, 0); }
  };
  int64_t Counterpart(int value) const { return plan_->original_of[static_cast<size_t>(value)]; }
  Home home(int value) const { return homes_[static_cast<size_t>(value)]; }
  Result<void*> At(Batch& batch, Run& run, int value, bool own);
  Status RunStep(Batch& batch, Run& run, int s);
  Status FillOutputs(Batch& batch, Run& run, const std::vector<int>& steps);
  Status RunSteps(Batch& batch, size_t index, const std::vector<int>& steps, int wave);
  Status TakeFlags(Batch& batch, size_t index, const std::vector<int>& steps, int wave,
                   std::optional<OutOfBounds>* outside);
  Status FindOutside(Batch& batch, Run& run, int s, size_t output,
                     std::optional<OutOfBounds>* outside);
  std::vector<int> SecondWave(Run& run) const;
  Status TimeWholeProgram(Batch& batch, Run& run, double* seconds);
  Result<Fate> Finish(Batch& batch, size_t index, const char* outputs);

  MutantJob job_;
  Status loaded_ = Ok();
  std::optional<MutantPlan> plan_;
  std::string culprit_;
  std::vector<KernelFunction> kernels_;  // by step
  WeightFiles weights_{std::filesystem::path()};
  std::vector<const void*> constant_;  // host: by value, weights and weight-only results
  std::vector<bool> constant_dirty_;   // by value
  struct alignas(kAlignment) Line {
    char bytes[kAlignment];
  };
  std::map<int, std::vector<Line>> made_;  // weight-only results, on the host
  std::vector<Home> homes_;                // by value
  std::vector<int> first_wave_;            // steps
  std::map<int, DeviceMemory> own_weights_;
  int64_t output_bytes_ = 0;             // of all network outputs, each to a multiple of 64
  std::vector<int64_t> output_offsets_;  // by network output
};

}  // namespace mutatenn
