// libnvrtc's seven functions by name: its header need not be there when this is built.
#include "compile/nvrtc.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace mutatenn {
namespace {

struct Nvrtc {
  using Program = void*;
  int (*create)(Program*, const char* source, const char* name, int headers, const char* const*,
                const char* const*) = nullptr;
  int (*destroy)(Program*) = nullptr;
  int (*compile)(Program, int options, const char* const*) = nullptr;
  int (*log_size)(Program, size_t*) = nullptr;
  int (*log)(Program, char*) = nullptr;
  int (*size)(Program, size_t*) = nullptr;
  int (*cubin)(Program, char*) = nullptr;
  int (*ptx_size)(Program, size_t*) = nullptr;
  int (*ptx)(Program, char*) = nullptr;
  std::string include;  // folder of CUDA's headers, "" = not found
};

std::vector<std::string> Places() {
  if (const char* named = std::getenv("MUTATENN_NVRTC")) return {named};
  std::vector<std::string> places;
  for (const char* folder : {"", "/usr/local/cuda/lib64/", "/usr/local/cuda/lib/"})
    places.push_back(std::string(folder) + "libnvrtc.so.13");
  return places;
}

Result<const Nvrtc*> Load() {
  static Nvrtc nvrtc;
  if (nvrtc.create != nullptr) return &nvrtc;
  void* library = nullptr;
  std::string place;
  for (const std::string& candidate : Places()) {
    library = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    place = candidate;
    if (library != nullptr) break;
  }
  if (library == nullptr)
    return Fail(
        Code::kUnavailable,
        "kernels for CUDA need NVRTC, and libnvrtc.so.13 is not found: install it (it is in "
        "the CUDA 13 toolkit, and in the Python package nvidia-cuda-nvrtc) and name the "
        "file in MUTATENN_NVRTC");
  bool whole = true;
  auto find = [&](auto& function, const char* name) {
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    whole = whole && function != nullptr;
  };
  find(nvrtc.destroy, "nvrtcDestroyProgram");
  find(nvrtc.compile, "nvrtcCompileProgram");
  find(nvrtc.log_size, "nvrtcGetProgramLogSize");
  find(nvrtc.log, "nvrtcGetProgramLog");
  find(nvrtc.size, "nvrtcGetCUBINSize");
  find(nvrtc.cubin, "nvrtcGetCUBIN");
  find(nvrtc.ptx_size, "nvrtcGetPTXSize");
  find(nvrtc.ptx, "nvrtcGetPTX");
  if (!whole || ::dlsym(library, "nvrtcCreateProgram") == nullptr)
    return Fail(Code::kUnavailable, place, ": is no NVRTC of a kind that is known");
  find(nvrtc.create, "nvrtcCreateProgram");
  // Beside the library, where a toolkit or the Python package has them.
  const auto folder = std::filesystem::path(place).parent_path().parent_path() / "include";
  if (std::filesystem::exists(folder / "cuda_fp16.h")) nvrtc.include = folder.string();
  if (nvrtc.include.empty() && std::filesystem::exists("/usr/local/cuda/include/cuda_fp16.h"))
    nvrtc.include = "/usr/local/cuda/include";
  return &nvrtc;
}

std::string FirstLines(std::string log) {
  constexpr size_t kLongest = 1000;
  if (log.size() > kLongest) log = log.substr(0, kLongest) + " ...";
  std::replace(log.begin(), log.end(), '\n', ' ');
  std::replace(log.begin(), log.end(), '\0', ' ');
  return log;
}

}  // namespace

Status LoadNvrtc() {
  TRY(Load());
  return Ok();
}

Result<CudaBinary> CompileCuda(const std::string& source, const std::string& architecture) {
  const Nvrtc& nvrtc = *TRY(Load());
  const bool portable = architecture == kLeastCudaArchitecture;
  std::vector<std::string> options = {"--std=c++17", "--gpu-architecture=" + architecture};
  if (portable) options[1] = "--gpu-architecture=compute_" + architecture.substr(3);
  if (!nvrtc.include.empty()) options.push_back("--include-path=" + nvrtc.include);
  std::vector<const char*> arguments;
  for (const std::string& option : options) arguments.push_back(option.c_str());
  Nvrtc::Program program = nullptr;
  if (nvrtc.create(&program, source.c_str(), "kernel.cu", 0, nullptr, nullptr) != 0)
    return Fail(Code::kUnavailable, "NVRTC takes no program");
  const int status = nvrtc.compile(program, static_cast<int>(arguments.size()), arguments.data());
  size_t size = 0;
  CudaBinary made{portable ? "ptx" : "cubin", ""};
  if (status != 0) {
    std::string log;
    if (nvrtc.log_size(program, &size) == 0) log.resize(size);
    if (size > 0) nvrtc.log(program, log.data());
    nvrtc.destroy(&program);
    return Fail(Code::kTvm, "NVRTC refuses the kernel: ", FirstLines(log));
  }
  (portable ? nvrtc.ptx_size : nvrtc.size)(program, &size);
  made.bytes.resize(size);
  (portable ? nvrtc.ptx : nvrtc.cubin)(program, made.bytes.data());
  nvrtc.destroy(&program);
  if (made.bytes.empty()) return Fail(Code::kTvm, "NVRTC made no code for ", architecture);
  return made;
}

}  // namespace mutatenn
