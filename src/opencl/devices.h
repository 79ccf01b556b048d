// The OpenCL devices of this machine as TVM's runtime asks for them: a number each, GPUs first, and
// for each a context and a queue, made when it is first used.
#pragma once

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <string>

namespace mutatenn::opencl {

// "CL_INVALID_WORK_GROUP_SIZE (-54)".
std::string StatusName(cl_int status);
// Throws TVM's error, kind RuntimeError, where `status` is none of success: `what` failed.
void Check(cl_int status, const char* what);

struct Device {
  cl_device_id id = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
};

int DeviceCount();
// Throws where there is no such device, or no context on it.
Device& DeviceAt(int index);
// Text of a property that is one: CL_DEVICE_NAME, CL_DRIVER_VERSION, ...
std::string TextOf(const Device& device, cl_device_info property);

// What TVM carries around as the pointer to a tensor's data.
struct Buffer {
  cl_mem memory = nullptr;
  int device = 0;
  bool part = false;  // of another's memory
};

// The device that TVM's last SetDevice named, on this thread.
int& CurrentDevice();

}  // namespace mutatenn::opencl
