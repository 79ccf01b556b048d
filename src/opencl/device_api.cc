// TVM's DeviceAPI over OpenCL: attributes, memory, copies, waiting. One queue a device, in order.
#include <tvm/ffi/reflection/registry.h>
#include <tvm/runtime/device_api.h>

#include "opencl/devices.h"

namespace mutatenn::opencl {
namespace {

namespace ffi = tvm::ffi;
using tvm::runtime::DeviceAttrKind;

class OpenClApi final : public tvm::runtime::DeviceAPI {
 public:
  using tvm::runtime::DeviceAPI::AllocDataSpace;

  void SetDevice(DLDevice device) final { CurrentDevice() = device.device_id; }

  void GetAttr(DLDevice device, DeviceAttrKind kind, ffi::Any* result) final {
    if (kind == tvm::runtime::kExist) {
      *result = int64_t{device.device_id >= 0 && device.device_id < DeviceCount()};
      return;
    }
    const Device& at = DeviceAt(device.device_id);
    switch (kind) {
      case tvm::runtime::kMaxThreadsPerBlock:
        return Number<size_t>(at, CL_DEVICE_MAX_WORK_GROUP_SIZE, result);
      case tvm::runtime::kMaxSharedMemoryPerBlock:
        return Number<cl_ulong>(at, CL_DEVICE_LOCAL_MEM_SIZE, result);
      case tvm::runtime::kTotalGlobalMemory:
        return Number<cl_ulong>(at, CL_DEVICE_GLOBAL_MEM_SIZE, result);
      case tvm::runtime::kMultiProcessorCount:
        return Number<cl_uint>(at, CL_DEVICE_MAX_COMPUTE_UNITS, result);
      case tvm::runtime::kMaxClockRate:
        return Number<cl_uint>(at, CL_DEVICE_MAX_CLOCK_FREQUENCY, result);
      case tvm::runtime::kWarpSize:
        *result = int64_t{1};
        return;
      case tvm::runtime::kDeviceName:
        *result = ffi::String(TextOf(at, CL_DEVICE_NAME));
        return;
      case tvm::runtime::kDriverVersion:
        *result = ffi::String(TextOf(at, CL_DRIVER_VERSION));
        return;
      default:
        *result = nullptr;
    }
  }

  void* AllocDataSpace(DLDevice device, size_t bytes, size_t, DLDataType) final {
    cl_int status = CL_SUCCESS;
    cl_mem memory = clCreateBuffer(DeviceAt(device.device_id).context, CL_MEM_READ_WRITE,
                                   bytes == 0 ? 1 : bytes, nullptr, &status);
    Check(status, "allocating device memory");
    return new Buffer{memory, device.device_id};
  }

  void FreeDataSpace(DLDevice, void* data) final {
    auto* buffer = static_cast<Buffer*>(data);
    // A kernel may still use it; of a part, OpenCL itself sees to that.
    if (!buffer->part) clFinish(DeviceAt(buffer->device).queue);
    clReleaseMemObject(buffer->memory);
    delete buffer;
  }

  void StreamSync(DLDevice device, TVMStreamHandle) final {
    Check(clFinish(DeviceAt(device.device_id).queue), "waiting for the device");
  }

 protected:
  void CopyDataFromTo(const void* from, size_t from_offset, void* to, size_t to_offset,
                      size_t bytes, DLDevice from_device, DLDevice to_device, DLDataType,
                      TVMStreamHandle) final {
    if (bytes == 0) return;
    if (from_device.device_type == kDLOpenCL && to_device.device_type == kDLOpenCL) {
      const auto* source = static_cast<const Buffer*>(from);
      const auto* target = static_cast<const Buffer*>(to);
      Check(clEnqueueCopyBuffer(DeviceAt(source->device).queue, source->memory, target->memory,
                                from_offset, to_offset, bytes, 0, nullptr, nullptr),
            "copying on the device");
    } else if (from_device.device_type == kDLOpenCL) {
      const auto* source = static_cast<const Buffer*>(from);
      Check(
          clEnqueueReadBuffer(DeviceAt(source->device).queue, source->memory, CL_TRUE, from_offset,
                              bytes, static_cast<char*>(to) + to_offset, 0, nullptr, nullptr),
          "reading from the device");
    } else {
      const auto* target = static_cast<const Buffer*>(to);
      Check(clEnqueueWriteBuffer(DeviceAt(target->device).queue, target->memory, CL_TRUE, to_offset,
                                 bytes, static_cast<const char*>(from) + from_offset, 0, nullptr,
                                 nullptr),
            "writing to the device");
    }
  }

 private:
  template <class T>
  static void Number(const Device& device, cl_device_info property, ffi::Any* result) {
    T value = 0;
    Check(clGetDeviceInfo(device.id, property, sizeof value, &value, nullptr), "asking a device");
    *result = static_cast<int64_t>(value);
  }
};

}  // namespace

// A part of a buffer as a buffer: (buffer, offset, bytes), freed like one, before the whole.
void* PartOf(void* whole, int64_t offset, int64_t bytes) {
  const auto* buffer = static_cast<const Buffer*>(whole);
  const cl_buffer_region region = {static_cast<size_t>(offset), static_cast<size_t>(bytes)};
  cl_int status = CL_SUCCESS;
  cl_mem memory =
      clCreateSubBuffer(buffer->memory, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &status);
  Check(status, "taking a part of device memory");
  return new Buffer{memory, buffer->device, /*part=*/true};
}

TVM_FFI_STATIC_INIT_BLOCK() {
  ffi::reflection::GlobalDef().def("mutatenn.opencl.part", PartOf);
  ffi::reflection::GlobalDef().def_packed("device_api.opencl", [](ffi::PackedArgs, ffi::Any* api) {
    static OpenClApi instance;
    tvm::runtime::DeviceAPI* base = &instance;
    *api = static_cast<void*>(base);
  });
}

}  // namespace mutatenn::opencl
