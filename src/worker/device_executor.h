// Runs the original and mutants on an accelerator, in a process that lives for many mutants: such
// devices are not forked. Every mutant finds outputs and workspace freshly filled, and what mutants
// share, the weights, is compared with its source after each image that a mutated kernel ran on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/session.h"
#include "tvm/accelerator.h"
#include "worker/arena.h"
#include "worker/original.h"
#include "worker/plan.h"
#include "worker/probes.h"

namespace mutatenn {

// How a mutant's run ended: with all its fates told, by a kernel that failed (the device may be in
// any state then), or for want of something of ours.
struct DeviceRunEnd {
  enum class Kind { kFinished, kKernelFailed, kToolError } kind = Kind::kFinished;
  std::string detail;
  int position = 0;  // of the image in the job
  std::optional<OutOfBounds> out_of_bounds;
};

class DeviceExecutor {
 public:
  static Result<std::unique_ptr<DeviceExecutor>> Load(const LoadRequest& request);

  const Original& original() const { return *original_; }
  DeviceId device() const { return device_; }
  std::string name() const { return AcceleratorName(device_); }
  // The original on every image; its values go to `file` (of any size), which another process may
  // take over: then `known` holds what this returned there, and nothing is run.
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images,
                                             const std::string& file,
                                             const std::vector<OriginalRun>& known);
  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) const;
  Result<Probed> RunProbe(const Probe& probe);

  struct Watcher {
    std::function<void(const Fate&)> fate;
    std::function<void(const std::string& step)> step;  // before a mutated kernel runs
  };
  // From the image at position `next` on.
  DeviceRunEnd Run(const MutantJob& job, int next, const Watcher& watcher);

 private:
  friend class DeviceMutant;
  DeviceExecutor(std::unique_ptr<Original> original, DeviceId device)
      : original_(std::move(original)), device_(device) {}
  // Up, a step, down: `arguments` lie in host memory.
  Status CallFromHost(int step, const std::vector<void*>& arguments);
  Status RunOriginal(const ImageInput& image, char* reference, OriginalRun* run);
  // A weight on the device, for all mutants.
  Result<void*> SharedConstant(int value);
  // kInvalidInput: one differs from its source; `found` says which and where. It is made anew.
  Status CheckConstants(OutOfBounds* found);
  const void* Reference(int image, int value) const {
    return references_.data() + image * bytes_per_image_ + offsets_[static_cast<size_t>(value)];
  }
  bool Sound();
  int FindImage(const std::string& name) const;

  std::unique_ptr<Original> original_;
  DeviceId device_;
  std::map<int, DeviceMemory> constants_;  // by value of the original
  std::map<int, DeviceMemory> values_;     // the original's, of one image
  Mapping references_;
  int64_t bytes_per_image_ = 0;
  std::vector<int64_t> offsets_;  // by value, -1 = constant
  std::vector<OriginalRun> runs_;
  std::unique_ptr<Probes> probes_;  // made by the first probe
};

}  // namespace mutatenn
