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

// Bytes on a device, or a part of another's. What is freed is kept for who asks for as many bytes
// again: allocating waits for the device. All work on a device happens in the order it is asked
// for, so that memory may be given back while a kernel still uses it.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(part_, other.part_);
    return *this;
  }
  ~DeviceMemory();

  static Result<DeviceMemory> Allocate(DeviceId device, int64_t bytes);
  // `offset`: a multiple of kPartAlignment. This memory outlives the part.
  Result<DeviceMemory> Part(int64_t offset, int64_t bytes) const;
  void* data() const { return data_; }  // opaque: for kernels' arguments
  int64_t bytes() const { return bytes_; }
  void* Release() { return std::exchange(data_, nullptr); }  // it is the caller's then

  // Between host and device; wait for what was launched before. Not of parts.
  Status Write(const void* from, int64_t bytes) const;
  Status Read(void* to, int64_t bytes, int64_t offset = 0) const;
  // On the device; these wait for nothing. Not of parts.
  Status CopyFrom(const DeviceMemory& other, int64_t from, int64_t to, int64_t bytes) const;
  // Bytes of ones: NaN in every type that has one.
  Status Fill(int64_t offset, int64_t bytes) const;
  Status Fill() const { return Fill(0, bytes_); }

 private:
  DeviceId device_;
  void* data_ = nullptr;
  int64_t bytes_ = 0;
  bool part_ = false;
};
// What devices ask of a part's start: enough for all that are known.
inline constexpr int64_t kPartAlignment = 4096;

// For kernels' temporary buffers on the device: filled like that, so that no kernel finds what
// another left. As TVM's workspace functions, null where there is no memory.
void* AllocateFilledWorkspace(int device_type, int device_index, uint64_t bytes, int code,
                              int bits);
int FreeFilledWorkspace(int device_type, int device_index, void* data);

}  // namespace mutatenn
