// Device code as the compiler serialised it (kind "opencl": names, argument types, launch
// parameters, OpenCL C) into functions that launch kernels. A source that the device's compiler
// refuses is an error with its log when the first of its kernels is asked for.
#include <tvm/ffi/cast.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/reflection/registry.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "opencl/devices.h"

namespace mutatenn::opencl {
namespace {

namespace ffi = tvm::ffi;

constexpr size_t kLongestLog = 1500;  // of a build that failed; it goes into a report's line

struct KernelInfo {
  std::string name;
  std::vector<DLDataType> arguments;
  std::vector<std::string> launch;  // "blockIdx.x", "threadIdx.y", ...
};

// Little-endian numbers and strings of what the compiler wrote.
class Reader {
 public:
  explicit Reader(const ffi::Bytes& bytes) : text_(bytes.data(), bytes.size()) {}

  uint64_t Number() { return Fixed<uint64_t>(); }
  template <class T>
  T Fixed() {
    T value;
    std::memcpy(&value, Take(sizeof value), sizeof value);
    return value;
  }
  std::string Text() {
    const uint64_t size = Number();
    return {Take(size), size};
  }
  void Skip(uint64_t bytes) { Take(bytes); }

 private:
  const char* Take(uint64_t bytes) {
    if (bytes > text_.size() - at_) TVM_FFI_THROW(ValueError) << "a damaged OpenCL module";
    at_ += bytes;
    return text_.data() + at_ - bytes;
  }

  std::string text_;
  size_t at_ = 0;
};

std::string OneLine(std::string text) {
  if (text.size() > kLongestLog) text = text.substr(0, kLongestLog) + " ...";
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

class OpenClModule final : public ffi::ModuleObj {
 public:
  explicit OpenClModule(const ffi::Bytes& bytes) : bytes_(bytes) {
    Reader reader(bytes);
    reader.Text();  // the format: "cl"
    for (uint64_t n = reader.Number(); n > 0; --n) {
      KernelInfo& kernel = kernels_[reader.Text()];
      kernel.name = reader.Text();
      for (uint64_t i = reader.Number(); i > 0; --i)
        kernel.arguments.push_back(reader.Fixed<DLDataType>());
      for (uint64_t i = reader.Number(); i > 0; --i) kernel.launch.push_back(reader.Text());
      reader.Skip(sizeof(int32_t) * reader.Number());
    }
    source_ = reader.Text();
  }
  ~OpenClModule() {
    for (auto& [key, kernel] : made_) clReleaseKernel(kernel);
    for (auto& [device, program] : programs_) clReleaseProgram(program);
  }

  const char* kind() const final { return "opencl"; }
  int GetPropertyMask() const final {
    return ffi::Module::kBinarySerializable | ffi::Module::kRunnable;
  }
  ffi::Bytes SaveToBytes() const final { return bytes_; }
  ffi::String InspectSource(const ffi::String&) const final { return source_; }

  ffi::Optional<ffi::Function> GetFunction(const ffi::String& name) final {
    auto self = ffi::GetRef<ffi::Module>(this);
    if (name == "mutatenn.prepare")
      return ffi::Function::FromTyped([self, this](int device) { ProgramOn(device); });
    const auto found = kernels_.find(std::string(name));
    if (found == kernels_.end()) return std::nullopt;
    return ffi::Function::FromPacked(
        [self, this, info = &found->second](ffi::PackedArgs arguments, ffi::Any*) {
          Launch(*info, arguments);
        });
  }

 private:
  cl_kernel KernelOn(int device, const KernelInfo& info) {
    auto made = made_.find({device, info.name});
    if (made != made_.end()) return made->second;
    cl_int status = CL_SUCCESS;
    cl_kernel kernel = clCreateKernel(ProgramOn(device), info.name.c_str(), &status);
    Check(status, "making an OpenCL kernel");
    return made_[{device, info.name}] = kernel;
  }

  // Built where it is not yet.
  cl_program ProgramOn(int device) {
    auto program = programs_.find(device);
    if (program == programs_.end()) program = programs_.emplace(device, Build(device)).first;
    return program->second;
  }

  cl_program Build(int index) {
    Device& device = DeviceAt(index);
    const char* text = source_.data();
    const size_t size = source_.size();
    cl_int status = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(device.context, 1, &text, &size, &status);
    Check(status, "making an OpenCL program");
    status = clBuildProgram(program, 1, &device.id, "", nullptr, nullptr);
    if (status == CL_SUCCESS) return program;
    size_t length = 0;
    clGetProgramBuildInfo(program, device.id, CL_PROGRAM_BUILD_LOG, 0, nullptr, &length);
    std::string log(length, ' ');
    clGetProgramBuildInfo(program, device.id, CL_PROGRAM_BUILD_LOG, length, log.data(), nullptr);
    clReleaseProgram(program);
    TVM_FFI_THROW(RuntimeError) << "the device's compiler refuses the kernel: "
                                << StatusName(status) << ": " << OneLine(log);
    TVM_FFI_UNREACHABLE();
  }

  void Launch(const KernelInfo& info, const ffi::PackedArgs& arguments) {
    const int device = CurrentDevice();
    cl_kernel kernel = KernelOn(device, info);
    const size_t count = info.arguments.size();
    if (static_cast<size_t>(arguments.size()) != count + info.launch.size())
      TVM_FFI_THROW(ValueError) << info.name << ": " << arguments.size() << " arguments";
    for (size_t i = 0; i < count; ++i)
      SetArgument(kernel, static_cast<cl_uint>(i), info.arguments[i],
                  arguments[static_cast<int>(i)]);
    size_t blocks[3] = {1, 1, 1}, threads[3] = {1, 1, 1};
    for (size_t i = 0; i < info.launch.size(); ++i) {
      const std::string& tag = info.launch[i];
      const int64_t extent = arguments[static_cast<int>(count + i)].cast<int64_t>();
      const size_t axis = static_cast<size_t>(tag.back() - 'x');
      if (axis > 2 || extent < 1 ||
          (!tag.starts_with("blockIdx.") && !tag.starts_with("threadIdx.")))
        TVM_FFI_THROW(RuntimeError) << "launch parameter " << tag << " = " << extent;
      (tag.starts_with("blockIdx.") ? blocks : threads)[axis] = static_cast<size_t>(extent);
    }
    size_t global[3];
    for (int axis = 0; axis < 3; ++axis) global[axis] = blocks[axis] * threads[axis];
    Check(clEnqueueNDRangeKernel(DeviceAt(device).queue, kernel, 3, nullptr, global, threads, 0,
                                 nullptr, nullptr),
          "launching a kernel");
  }

  static void SetArgument(cl_kernel kernel, cl_uint index, DLDataType type,
                          const ffi::AnyView& argument) {
    auto set = [&](size_t bytes, const void* value) {
      Check(clSetKernelArg(kernel, index, bytes, value), "setting a kernel's argument");
    };
    if (type.code == kDLOpaqueHandle) {
      const auto* buffer = static_cast<const Buffer*>(argument.cast<void*>());
      cl_mem memory = buffer == nullptr ? nullptr : buffer->memory;
      set(sizeof memory, &memory);
    } else if (type.code == kDLFloat && type.bits == 32) {
      const auto value = static_cast<float>(argument.cast<double>());
      set(sizeof value, &value);
    } else if (type.code == kDLFloat) {
      const auto value = argument.cast<double>();
      set(sizeof value, &value);
    } else {
      const auto value = argument.cast<int64_t>();  // little-endian: its first bytes are the number
      set(type.bits / 8u, &value);
    }
  }

  ffi::Bytes bytes_;
  std::map<std::string, KernelInfo> kernels_;
  std::string source_;
  std::map<int, cl_program> programs_;                     // by device
  std::map<std::pair<int, std::string>, cl_kernel> made_;  // by device and name
};

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  ffi::reflection::GlobalDef().def("ffi.Module.load_from_bytes.opencl", [](ffi::Bytes bytes) {
    return ffi::Module(ffi::make_object<OpenClModule>(bytes));
  });
}

}  // namespace mutatenn::opencl
