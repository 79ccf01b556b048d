// TVM's DeviceAPI of a kind that a library registered when it was loaded.
#include "tvm/accelerator.h"

#include <dlfcn.h>
#include <link.h>
#include <tvm/ffi/function.h>
#include <tvm/runtime/device_api.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/files.h"

namespace mutatenn {
namespace ffi = tvm::ffi;
namespace {

constexpr const char* kOpenClRuntime = "libmutatenn_opencl.so";  // ours, beside this program
constexpr const char* kCudaRuntime = "libtvm_runtime_cuda.so";   // TVM's, beside its runtime
constexpr const char* kCudaLibrary = "libcudart.so.13";          // NVIDIA's, which that one needs

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

template <class F>
Status Caught(F&& f) {
  try {
    f();
    return Ok();
  } catch (const ffi::Error& error) {
    return Fail(Code::kTvm, FirstLine(error.message()));
  } catch (const std::exception& error) {
    return Fail(Code::kTvm, FirstLine(error.what()));
  }
}

DLDevice Of(DeviceId id) { return {static_cast<DLDeviceType>(id.type), id.index}; }

tvm::runtime::DeviceAPI& ApiOf(DeviceId id) { return *tvm::runtime::DeviceAPI::Get(Of(id)); }

// Both sides as one-dimensional tensors of bytes.
Status Copy(DeviceId from_device, void* from, DeviceId to_device, void* to, int64_t bytes,
            DeviceId api) {
  return Caught([&] {
    constexpr DLDataType kByte = {kDLUInt, 8, 1};
    DLTensor source = {from, Of(from_device), 1, kByte, &bytes, nullptr, 0};
    DLTensor target = {to, Of(to_device), 1, kByte, &bytes, nullptr, 0};
    ApiOf(api).CopyDataFromTo(&source, &target, nullptr);
    ApiOf(api).StreamSync(Of(api), nullptr);
  });
}

std::string Attribute(DeviceId device, tvm::runtime::DeviceAttrKind kind) {
  std::string text;
  (void)Caught([&] {
    ffi::Any value;
    ApiOf(device).GetAttr(Of(device), kind, &value);
    if (auto found = value.as<ffi::String>()) text = *found;
  });
  return text;
}

}  // namespace

Result<DeviceId> OpenAccelerator(const std::string& kind, int index) {
  if (kind != "opencl" && kind != "cuda")
    return Fail(Code::kUnsupported, "no way to run code of kind '", kind, "'");
  const bool opencl = kind == "opencl";
  const std::string library =
      opencl ? (ExecutableDirectory() / kOpenClRuntime).string() : std::string(kCudaRuntime);
  if (::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr)
    return Fail(Code::kUnavailable, "cannot load what runs ", kind, " kernels: ", ::dlerror(),
                opencl ? "; build it with OpenCL's headers and loader (Debian: opencl-c-headers, "
                         "ocl-icd-opencl-dev)"
                       : "; it comes with TVM and needs the CUDA 13 runtime and NVIDIA's driver");
  const DeviceId device = {opencl ? kDLOpenCL : kDLCUDA, index};
  bool exists = false;
  TRY(Caught([&] {
    ffi::Any found;
    ApiOf(device).GetAttr(Of(device), tvm::runtime::kExist, &found);
    exists = found.cast<int64_t>() != 0;
  }));
  if (!exists)
    return Fail(Code::kUnavailable, "this machine has no ", kind, " device ", std::to_string(index),
                opencl ? "; install its driver (an .icd file in /etc/OpenCL/vendors), or PoCL for "
                         "the CPU (Debian: pocl-opencl-icd)"
                       : "");
  TRY(Caught([&] { ApiOf(device).SetDevice(Of(device)); }));
  return device;
}

std::vector<std::string> AcceleratorLibraries(const std::string& kind) {
  if (kind == "opencl") return {(ExecutableDirectory() / kOpenClRuntime).string()};
  if (kind != "cuda") return {};
  std::vector<std::string> libraries;
  Dl_info runtime = {};
  if (::dladdr(reinterpret_cast<void*>(&tvm::runtime::DeviceAPI::Get), &runtime) != 0)
    libraries.push_back(std::filesystem::path(runtime.dli_fname).replace_filename(kCudaRuntime));
  if (void* loaded = ::dlopen(kCudaLibrary, RTLD_LAZY)) {
    link_map* map = nullptr;
    if (::dlinfo(loaded, RTLD_DI_LINKMAP, &map) == 0) libraries.push_back(map->l_name);
  }
  return libraries;
}

std::string AcceleratorName(DeviceId device) {
  const std::string name = Attribute(device, tvm::runtime::kDeviceName);
  const std::string driver = Attribute(device, tvm::runtime::kDriverVersion);
  return driver.empty() ? name : name + " (driver " + driver + ")";
}

Status Synchronize(DeviceId device) {
  return Caught([&] { ApiOf(device).StreamSync(Of(device), nullptr); });
}

DeviceMemory::~DeviceMemory() {
  if (data_ != nullptr) (void)Caught([&] { ApiOf(device_).FreeDataSpace(Of(device_), data_); });
}

Result<DeviceMemory> DeviceMemory::Allocate(DeviceId device, int64_t bytes) {
  DeviceMemory memory;
  memory.device_ = device;
  memory.bytes_ = bytes;
  TRY(Caught([&] {
    memory.data_ =
        ApiOf(device).AllocDataSpace(Of(device), static_cast<size_t>(bytes),
                                     tvm::runtime::kAllocAlignment, DLDataType{kDLFloat, 32, 1});
  }));
  return memory;
}

Status DeviceMemory::Write(const void* from, int64_t bytes) const {
  return Copy(DeviceId{}, const_cast<void*>(from), device_, data_, bytes, device_);
}

Status DeviceMemory::Fill() const {
  static std::vector<char> ones;
  if (static_cast<int64_t>(ones.size()) < bytes_) ones.assign(static_cast<size_t>(bytes_), '\xff');
  return Write(ones.data(), bytes_);
}

Status DeviceMemory::Read(void* to, int64_t bytes) const {
  return Copy(device_, data_, DeviceId{}, to, bytes, device_);
}

void* AllocateFilledWorkspace(int device_type, int device_index, uint64_t bytes, int, int) {
  auto made = DeviceMemory::Allocate({device_type, device_index}, static_cast<int64_t>(bytes));
  if (!made.ok() || !made->Fill().ok()) return nullptr;
  return made->Release();
}

int FreeFilledWorkspace(int device_type, int device_index, void* data) {
  const DeviceId device = {device_type, device_index};
  return Caught([&] { ApiOf(device).FreeDataSpace(Of(device), data); }).ok() ? 0 : -1;
}

}  // namespace mutatenn
