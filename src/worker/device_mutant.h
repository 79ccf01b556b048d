// One mutant on an accelerator: dirty propagation as in executor.h, with values in the device's
// memory and comparisons on the host.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "worker/device_executor.h"

namespace mutatenn {

// Bytes behind every buffer on a device, all ones: a read beyond is NaN, a write beyond is seen.
inline constexpr int64_t kTail = 256;

class DeviceMutant {
 public:
  DeviceMutant(DeviceExecutor& executor, const MutantPlan& plan, const MutantJob& job,
               const DeviceExecutor::Watcher& watcher)
      : executor_(executor), plan_(plan), job_(job), watcher_(watcher) {}

  // Kernels, weights, weight-only steps (on the host). kTvm: a kernel failed.
  Status Load();
  // kTvm: a kernel failed. `outside` is set by the first access outside a buffer that is seen.
  Result<Fate> RunImage(int image, std::optional<OutOfBounds>* outside);

 private:
  Status RunWeightSteps();
  bool Due(int s) const;
  Status RunStep(int s, std::optional<OutOfBounds>* outside);
  Status CallStep(int s);
  Status CheckTail(int s, std::optional<OutOfBounds>* outside);
  Result<void*> Input(int value);
  Result<DeviceMemory*> Own(int value);
  Status TimeWholeProgram(double* seconds);
  Result<Fate> Finish(int image);
  const void* HostValue(int value) const;  // of the mutant, by now

  DeviceExecutor& executor_;
  const MutantPlan& plan_;
  const MutantJob& job_;
  const DeviceExecutor::Watcher& watcher_;
  int image_ = -1;
  std::map<std::string, KernelFunction> kernels_;
  WeightFiles weights_{std::filesystem::path()};
  std::vector<const void*> constant_;  // host: by value, dirty weights and weight-only results
  std::vector<bool> constant_dirty_, dirty_;
  std::map<int, std::vector<char>> made_;                      // weight-only results, on the host
  std::map<int, DeviceMemory> dirty_constants_, own_, clean_;  // clean_: by the original's value
  std::vector<bool> uploaded_;                                 // of clean_, for this image
  std::map<int, std::vector<char>> host_;                      // outputs of this image's steps
  double seconds_ = 0;
};

}  // namespace mutatenn
