// TVM's DeviceAPI of a kind that a library registered when it was loaded.
#include "tvm/accelerator.h"

#include <dlfcn.h>
#include <link.h>
#include <tvm/ffi/function.h>
#include <tvm/runtime/device_api.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <tuple>
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

struct Place {
  DeviceId device;
  void* data;
  int64_t offset = 0;
};

// Both sides as one-dimensional tensors of bytes. `api`: of the side that is no host.
Status Copy(Place from, Place to, int64_t bytes, DeviceId api, bool wait) {
  return Caught([&] {
    constexpr DLDataType kByte = {kDLUInt, 8, 1};
    const auto tensor = [&](const Place& at) {
      return DLTensor{
          at.data, Of(at.device), 1, kByte, &bytes, nullptr, static_cast<uint64_t>(at.offset)};
    };
    DLTensor source = tensor(from), target = tensor(to);
    ApiOf(api).CopyDataFromTo(&source, &target, nullptr);
    if (wait) ApiOf(api).StreamSync(Of(api), nullptr);
  });
}

// Memory that nobody uses, by its device and size.
class Spare {
 public:
  void* Take(DeviceId device, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    auto found = free_.find({device.type, device.index, bytes});
    if (found == free_.end() || found->second.empty()) return nullptr;
    void* data = found->second.back();
    found->second.pop_back();
    bytes_ -= bytes;
    return data;
  }
  // False: there is enough already.
  bool Keep(DeviceId device, int64_t bytes, void* data) {
    const std::lock_guard lock(mutex_);
    if (bytes_ + bytes > kSpareBytes) return false;
    free_[{device.type, device.index, bytes}].push_back(data);
    bytes_ += bytes;
    return true;
  }

 private:
  static constexpr int64_t kSpareBytes = int64_t{256} << 20;
  std::mutex mutex_;
  std::map<std::tuple<int, int, int64_t>, std::vector<void*>> free_;
  int64_t bytes_ = 0;
};

Spare& SpareMemory() {
  static auto* spare = new Spare;  // never destroyed: drivers dislike static destructors
  return *spare;
}

// Sizes of kernels' temporary buffers that are in use.
std::mutex workspaces_mutex;
std::map<void*, int64_t> workspaces;

void FreeOnDevice(DeviceId device, int64_t bytes, void* data) {
  if (SpareMemory().Keep(device, bytes, data)) return;
  (void)Caught([&] { ApiOf(device).FreeDataSpace(Of(device), data); });
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
  // A mutant's module has a kernel or two: loaded whole at once it costs more than it runs.
  ::setenv("CUDA_MODULE_LOADING", "LAZY", /*overwrite=*/0);
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
  if (data_ == nullptr) return;
  if (!part_) {
    FreeOnDevice(device_, bytes_, data_);
  } else if (device_.type == kDLOpenCL) {
    (void)Caught([&] { ApiOf(device_).FreeDataSpace(Of(device_), data_); });
  }
}

Result<DeviceMemory> DeviceMemory::Allocate(DeviceId device, int64_t bytes) {
  DeviceMemory memory;
  memory.device_ = device;
  memory.bytes_ = bytes;
  memory.data_ = SpareMemory().Take(device, bytes);
  if (memory.data_ != nullptr) return memory;
  TRY(Caught([&] {
    memory.data_ =
        ApiOf(device).AllocDataSpace(Of(device), static_cast<size_t>(bytes),
                                     tvm::runtime::kAllocAlignment, DLDataType{kDLFloat, 32, 1});
  }));
  return memory;
}

Result<DeviceMemory> DeviceMemory::Part(int64_t offset, int64_t bytes) const {
  DeviceMemory part;
  part.device_ = device_;
  part.bytes_ = bytes;
  part.part_ = true;
  if (device_.type != kDLOpenCL) {  // a pointer
    part.data_ = static_cast<char*>(data_) + offset;
    return part;
  }
  TRY(Caught([&] {
    static const auto make = ffi::Function::GetGlobalRequired("mutatenn.opencl.part");
    part.data_ = make(data_, offset, bytes).cast<void*>();
  }));
  return part;
}

Status DeviceMemory::Write(const void* from, int64_t bytes) const {
  return Copy({DeviceId{}, const_cast<void*>(from)}, {device_, data_}, bytes, device_, true);
}

Status DeviceMemory::Read(void* to, int64_t bytes, int64_t offset) const {
  return Copy({device_, data_, offset}, {DeviceId{}, to}, bytes, device_, true);
}

Status DeviceMemory::CopyFrom(const DeviceMemory& other, int64_t from, int64_t to,
                              int64_t bytes) const {
  return Copy({device_, other.data_, from}, {device_, data_, to}, bytes, device_, false);
}

Status DeviceMemory::Fill(int64_t offset, int64_t bytes) const {
  // One source for all: a copy on the device is what every device can do without waiting.
  static auto* ones = new std::map<std::pair<int, int>, DeviceMemory>;
  DeviceMemory& source = (*ones)[{device_.type, device_.index}];
  if (source.bytes_ < bytes) {
    const std::vector<char> host(static_cast<size_t>(bytes), '\xff');
    source = TRY(Allocate(device_, bytes));
    TRY(source.Write(host.data(), bytes));
  }
  return CopyFrom(source, 0, offset, bytes);
}

void* AllocateFilledWorkspace(int device_type, int device_index, uint64_t bytes, int, int) {
  // How many there are is needed again when they are freed.
  auto made = DeviceMemory::Allocate({device_type, device_index}, static_cast<int64_t>(bytes));
  if (!made.ok() || !made->Fill().ok()) return nullptr;
  const std::lock_guard lock(workspaces_mutex);
  workspaces[made->data()] = static_cast<int64_t>(bytes);
  return made->Release();
}

int FreeFilledWorkspace(int device_type, int device_index, void* data) {
  int64_t bytes = 0;
  {
    const std::lock_guard lock(workspaces_mutex);
    const auto found = workspaces.find(data);
    if (found == workspaces.end()) return -1;
    bytes = found->second;
    workspaces.erase(found);
  }
  FreeOnDevice({device_type, device_index}, bytes, data);
  return 0;
}

}  // namespace mutatenn
