// Platforms and devices through the ICD loader; status codes to names.
#include "opencl/devices.h"

#include <tvm/ffi/error.h>

#include <algorithm>
#include <vector>

namespace mutatenn::opencl {
namespace {

int Rank(cl_device_id id) {
  cl_device_type type = 0;
  clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, nullptr);
  if (type & CL_DEVICE_TYPE_GPU) return 0;
  return type & CL_DEVICE_TYPE_ACCELERATOR ? 1 : 2;
}

std::vector<Device> FindDevices() {
  cl_uint count = 0;
  clGetPlatformIDs(0, nullptr, &count);  // an error: no platform
  std::vector<cl_platform_id> platforms(count);
  if (count > 0) clGetPlatformIDs(count, platforms.data(), nullptr);
  std::vector<cl_device_id> ids;
  for (cl_platform_id platform : platforms) {
    cl_uint found = 0;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &found) != CL_SUCCESS) continue;
    std::vector<cl_device_id> own(found);
    clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, found, own.data(), nullptr);
    ids.insert(ids.end(), own.begin(), own.end());
  }
  std::stable_sort(ids.begin(), ids.end(),
                   [](cl_device_id a, cl_device_id b) { return Rank(a) < Rank(b); });
  std::vector<Device> devices;
  for (cl_device_id id : ids) devices.push_back({id});
  return devices;
}

std::vector<Device>& Devices() {
  // Never destroyed: drivers dislike to be called from static destructors.
  static auto* devices = new std::vector<Device>(FindDevices());
  return *devices;
}

}  // namespace

std::string StatusName(cl_int status) {
  struct Name {
    cl_int status;
    const char* name;
  };
  static constexpr Name kNames[] = {
      {CL_DEVICE_NOT_FOUND, "CL_DEVICE_NOT_FOUND"},
      {CL_DEVICE_NOT_AVAILABLE, "CL_DEVICE_NOT_AVAILABLE"},
      {CL_COMPILER_NOT_AVAILABLE, "CL_COMPILER_NOT_AVAILABLE"},
      {CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
      {CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"},
      {CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
      {CL_BUILD_PROGRAM_FAILURE, "CL_BUILD_PROGRAM_FAILURE"},
      {CL_INVALID_VALUE, "CL_INVALID_VALUE"},
      {CL_INVALID_MEM_OBJECT, "CL_INVALID_MEM_OBJECT"},
      {CL_INVALID_BUFFER_SIZE, "CL_INVALID_BUFFER_SIZE"},
      {CL_INVALID_KERNEL_NAME, "CL_INVALID_KERNEL_NAME"},
      {CL_INVALID_KERNEL_ARGS, "CL_INVALID_KERNEL_ARGS"},
      {CL_INVALID_WORK_DIMENSION, "CL_INVALID_WORK_DIMENSION"},
      {CL_INVALID_WORK_GROUP_SIZE, "CL_INVALID_WORK_GROUP_SIZE"},
      {CL_INVALID_WORK_ITEM_SIZE, "CL_INVALID_WORK_ITEM_SIZE"},
      {CL_INVALID_GLOBAL_WORK_SIZE, "CL_INVALID_GLOBAL_WORK_SIZE"}};
  for (const Name& known : kNames)
    if (known.status == status)
      return std::string(known.name) + " (" + std::to_string(status) + ")";
  return "OpenCL status " + std::to_string(status);
}

void Check(cl_int status, const char* what) {
  if (status == CL_SUCCESS) return;
  TVM_FFI_THROW(RuntimeError) << what << ": " << StatusName(status);
}

int DeviceCount() { return static_cast<int>(Devices().size()); }

Device& DeviceAt(int index) {
  if (index < 0 || index >= DeviceCount())
    TVM_FFI_THROW(ValueError) << "no OpenCL device " << index << " of " << DeviceCount()
                              << "; is a driver (an .icd file in /etc/OpenCL/vendors) installed?";
  Device& device = Devices()[static_cast<size_t>(index)];
  if (device.queue == nullptr) {
    cl_int status = CL_SUCCESS;
    device.context = clCreateContext(nullptr, 1, &device.id, nullptr, nullptr, &status);
    Check(status, "making an OpenCL context");
    device.queue = clCreateCommandQueue(device.context, device.id, 0, &status);
    Check(status, "making an OpenCL queue");
  }
  return device;
}

std::string TextOf(const Device& device, cl_device_info property) {
  char text[512] = "";
  Check(clGetDeviceInfo(device.id, property, sizeof text - 1, text, nullptr), "asking a device");
  return text;
}

int& CurrentDevice() {
  static thread_local int device = 0;
  return device;
}

}  // namespace mutatenn::opencl
