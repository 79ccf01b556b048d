// Runs the original and mutants on an accelerator, in a process that lives for many mutants: such
// devices are not forked. Weights and the original's values of every image lie there once; what a
// mutant may have damaged of them is told by checksums after each batch of images that a mutated
// kernel ran on. Every mutant finds outputs and workspace freshly filled.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/session.h"
#include "worker/arena.h"
#include "worker/device_layout.h"
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

inline constexpr int kLargestBatch = 16;  // images; larger ones wait for the device no less

// What the device was asked for.
struct DeviceFigures {
  double busy_s = 0;  // from a launch until we waited for it: something was asked and not done
  int64_t launches = 0, waits = 0;
};

class DeviceMutant;

class DeviceExecutor {
 public:
  static Result<std::unique_ptr<DeviceExecutor>> Load(const LoadRequest& request);

  const Original& original() const { return *original_; }
  std::string name() const { return AcceleratorName(device_); }
  DeviceId device() const { return device_; }
  // The original on every image; its values go to `file` (of any size), which another process may
  // take over: then `known` holds what this returned there, and nothing is run.
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images,
                                             const std::string& file,
                                             const std::vector<OriginalRun>& known);
  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) const;
  Result<Probed> RunProbe(const Probe& probe);

  struct Watcher {
    std::function<void(const std::vector<Fate>&)> fates;
    // Before a batch: how many images, from which one of the job on, and the first mutated step.
    std::function<void(int images, const std::string& step)> batch;
  };
  // From the image at position `next` on, at most `largest` images at a time.
  DeviceRunEnd Run(DeviceMutant& mutant, int next, int largest, const Watcher& watcher);
  const DeviceFigures& figures() const { return figures_; }

 private:
  friend class DeviceMutant;
  struct Image {  // what the device has of one
    LaidOut values;
    DeviceMemory digest;
  };
  DeviceExecutor(std::unique_ptr<Original> original, DeviceId device, DeviceLayout values,
                 DeviceLayout constants)
      : original_(std::move(original)),
        device_(device),
        layout_(std::move(values)),
        constant_layout_(std::move(constants)) {}
  Status LoadTools();
  Status UploadConstants();
  // Up, a step, down: `arguments` lie in host memory.
  Status CallFromHost(int step, const std::vector<void*>& arguments);
  Status RunOriginal(const ImageInput& image, int index, OriginalRun* run);
  // The original's values of an image on the device, uploaded where they are not.
  Result<Image*> Resident(int image);
  Result<LaidOut*> Slot(int index);  // for a mutant's values
  int LargestBatch() const;

  // Launches; nothing is waited for. `words` of chunks from `begin` on are compared
  // (device_tools.h).
  Status Differ(const DeviceMemory& a, const DeviceMemory& b, const DeviceMemory& table,
                const DeviceMemory& flags, int64_t begin, int64_t base, int64_t chunks);
  Status Digest(const LaidOut& memory, const DeviceLayout& layout, const DeviceMemory& digest);
  // Flags at `base` become 1 where something that mutants share is no longer what it was.
  Status CheckShared(const std::vector<Image*>& images, const DeviceMemory& flags, int64_t base);
  // Makes everything shared anew; `found` says what was damaged and where.
  Status Repair(const std::vector<int>& images, OutOfBounds* found);
  Status ZeroFlags(const DeviceMemory& report, int64_t bytes);
  Result<Fate> RunAlone(DeviceMutant& mutant, int image, std::optional<OutOfBounds>* outside);
  Status Call(const KernelFunction& kernel, const TypedProgram& typed, const Step& step,
              std::span<void* const> arguments);
  Status Wait();
  Status Read(const DeviceMemory& memory, void* to, int64_t bytes, int64_t offset = 0);
  void Launching();
  void Waited();

  const char* Host(int image) const { return references_.data() + image * layout_.bytes; }
  const void* Reference(int image, int value) const { return Host(image) + layout_[value].offset; }
  bool Sound();
  int FindImage(const std::string& name) const;

  std::unique_ptr<Original> original_;
  DeviceId device_;
  DeviceLayout layout_, constant_layout_;  // by value of the original
  int64_t budget_ = 0;
  KernelFunction differ_, digest_;
  DeviceMemory table_, digest_table_, new_digest_, zeros_;
  LaidOut constants_;
  DeviceMemory constants_digest_;
  std::map<int, Image> resident_;  // by image
  std::vector<LaidOut> slots_;
  Mapping references_;  // on the host, laid out as on the device
  std::vector<OriginalRun> runs_;
  std::unique_ptr<Probes> probes_;  // made by the first probe
  DeviceFigures figures_;
  double launched_at_ = 0;  // 0: nothing is under way
};

}  // namespace mutatenn
