// A prepared mutant over its images, in batches; alone where one image's run may have told on
// another's.
#include <algorithm>

#include "worker/device_mutant.h"

namespace mutatenn {

// Whether the device is as good as before a kernel failed: a launch was refused, nothing ran.
bool DeviceExecutor::Sound() {
  auto intact = [&]() -> Result<bool> {
    TRY(Wait());
    DeviceMemory flags = TRY(DeviceMemory::Allocate(device_, kChunkBytes));
    TRY(ZeroFlags(flags, kChunkBytes));
    TRY(CheckShared({}, flags, 0));
    uint32_t damaged = 0;
    TRY(Read(flags, &damaged, sizeof damaged));
    return damaged == 0;
  };
  Result<bool> sound = intact();
  return sound.ok() && *sound;
}

// kTvm: a kernel failed, and the device may be in any state.
Result<Fate> DeviceExecutor::RunAlone(DeviceMutant& mutant, int image,
                                      std::optional<OutOfBounds>* outside) {
  for (int attempt = 0;; ++attempt) {
    auto outcome = mutant.RunBatch(*this, {image});
    if (outcome.ok()) {
      if (!*outside) *outside = outcome->out_of_bounds;
      return outcome->fates.at(0);
    }
    if (outcome.error().code != Code::kTvm || !Sound()) return outcome.error();
    if (attempt == 0) continue;
    // Refused twice is refused; it need not be asked of a new process.
    Fate refused{.image = runs_[static_cast<size_t>(image)].image, .ending = Ending::kCrashed};
    const std::string& why = outcome.error().message;
    const bool compiler = why.find("the device's compiler refuses the kernel") != std::string::npos;
    refused.detail = (compiler ? std::string(kDoesNotCompile) : "the kernel failed") + ": " + why;
    return refused;
  }
}

DeviceRunEnd DeviceExecutor::Run(DeviceMutant& mutant, int next, int largest,
                                 const Watcher& watcher) {
  const MutantJob& job = mutant.job();
  auto failed = [](const Error& error, int position, std::optional<OutOfBounds> outside = {}) {
    // The device's compiler may refuse what TVM wrote: that is the mutant's end, not ours.
    const bool kernel = error.code == Code::kTvm;
    return DeviceRunEnd{kernel ? DeviceRunEnd::Kind::kKernelFailed : DeviceRunEnd::Kind::kToolError,
                        error.message, position, std::move(outside)};
  };
  if (!mutant.loaded().ok()) return failed(mutant.loaded().error(), next);
  std::vector<int> images;
  for (const std::string& name : job.images) {
    images.push_back(FindImage(name));
    if (images.back() < 0)
      return failed(Fail(Code::kInvalidInput, "image '", name, "' is not of the loaded chunk"),
                    next);
  }
  DeviceRunEnd end;
  const int count = static_cast<int>(images.size());
  const int most = job.slow_oracle ? 1 : std::min(largest, LargestBatch());
  // What comes behind a kill was run for nothing: batches grow where the first kill ends all.
  int size = job.stop_at_kill ? 1 : most;
  for (int position = next; position < count; size = std::min(2 * size, most)) {
    const int n = std::min(size, count - position);
    const std::vector<int> batch(images.begin() + position, images.begin() + position + n);
    watcher.batch(n, mutant.culprit());
    std::vector<Fate> fates;
    if (n > 1) {
      auto outcome = mutant.RunBatch(*this, batch);
      if (!outcome.ok() && (outcome.error().code != Code::kTvm || !Sound()))
        return failed(outcome.error(), position, end.out_of_bounds);
      if (outcome.ok() && !outcome->damaged && !outcome->out_of_bounds)
        fates = std::move(outcome->fates);
    }
    std::optional<Error> error;
    for (int i = 0; std::ssize(fates) < n && !error; ++i) {
      auto fate = RunAlone(mutant, batch[static_cast<size_t>(i)], &end.out_of_bounds);
      if (fate.ok()) {
        fates.push_back(std::move(*fate));
      } else {
        error = fate.error();
      }
    }
    bool killed = false;
    for (size_t i = 0; i < fates.size() && job.stop_at_kill && !killed; ++i) {
      killed = fates[i].ending != Ending::kOk ||
               KilledByTop1(runs_[static_cast<size_t>(batch[i])].top, fates[i].top);
      if (killed) fates.resize(i + 1);
    }
    position += static_cast<int>(fates.size());
    if (!fates.empty()) watcher.fates(fates);
    if (killed) break;
    if (error) return failed(*error, position, end.out_of_bounds);
  }
  return end;
}

}  // namespace mutatenn
