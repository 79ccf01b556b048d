// Accelerators behind TVM's runtime: loading what drives them, their memory, waiting for them. No
// exception leaves.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mutatenn {

// As TVM numbers devices.
struct DeviceId {
  int type = 1;  // the CPU
  int index = 0;
};

// Loads the runtime of a kind of target ("opencl": libmutatenn_opencl.so beside this program;
// "cuda": TVM's libtvm_runtime_cuda.so) and takes its device of that number. kUnavailable with what
// is missing: the library, a driver, the device.
Result<DeviceId> OpenAccelerator(const std::string& kind, int index);
// The libraries that OpenAccelerator of this kind loads, where they lie on this machine, which need
// not have such a device; CUDA's own is left out where it is not installed. None for a CPU.
std::vector<std::string> AcceleratorLibraries(const std::string& kind);
// "NVIDIA H200 (driver 580.1)".
std::string AcceleratorName(DeviceId device);
// Waits until all that was launched is done. kTvm: a launch failed.
Status Synchronize(DeviceId device);

// Bytes on a device.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeviceMemory();

  static Result<DeviceMemory> Allocate(DeviceId device, int64_t bytes);
  void* data() const { return data_; }  // opaque: for kernels' arguments
  int64_t bytes() const { return bytes_; }
  void* Release() { return std::exchange(data_, nullptr); }  // it is the caller's then
  // From its start on; wait for what was launched before.
  Status Write(const void* from, int64_t bytes) const;
  Status Read(void* to, int64_t bytes) const;
  // All of it becomes bytes of ones: NaN in every type that has one.
  Status Fill() const;

 private:
  DeviceId device_;
  void* data_ = nullptr;
  int64_t bytes_ = 0;
};

// For kernels' temporary buffers on the device: filled like that, so that no kernel finds what
// another left. As TVM's workspace functions, null where there is no memory.
void* AllocateFilledWorkspace(int device_type, int device_index, uint64_t bytes, int code,
                              int bits);
int FreeFilledWorkspace(int device_type, int device_index, void* data);

}  // namespace mutatenn
