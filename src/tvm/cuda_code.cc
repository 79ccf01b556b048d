// Two intrinsics (barriers) and the headers of generated CUDA C++, for NVRTC and nvcc alike; the
// serialised form of a device module taken apart and put together.
#include "tvm/cuda_code.h"

#include <tvm/ffi/container/array.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>

#include <cstring>

#include "tvm/gpu_passes.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace ffi = tvm::ffi;
namespace {

// NVRTC has no host headers.
constexpr const char* kHeader = R"(#ifdef __CUDACC_RTC__
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
#include <cstdint>
#endif
typedef unsigned int uint;
typedef unsigned char uchar;
typedef unsigned short ushort;
)";
constexpr const char* kHalf = R"(#include <cuda_fp16.h>
static inline __device__ half max(half a, half b) { return __hgt(a, b) ? a : b; }
static inline __device__ half min(half a, half b) { return __hlt(a, b) ? a : b; }
static inline __device__ unsigned __pack_half2(const half x, const half y) {
  return (unsigned(*((unsigned short*)&y)) << 16) | *((unsigned short*)&x);
}
)";
constexpr const char* kBrain = R"(#include <cuda_bf16.h>
typedef __nv_bfloat16 nv_bfloat16;
static inline __device__ nv_bfloat16 max(nv_bfloat16 a, nv_bfloat16 b) { return __hgt(a, b) ? a : b; }
static inline __device__ nv_bfloat16 min(nv_bfloat16 a, nv_bfloat16 b) { return __hlt(a, b) ? a : b; }
)";

ffi::String Header(const ffi::Array<ffi::String>& tags) {
  std::string header = kHeader;
  for (const ffi::String& tag : tags) {
    if (tag == "fp16") header += kHalf;
    if (tag == "bf16") header += kBrain;
  }
  return header;
}

const ffi::Any& AnyOf(const Node& node) { return *static_cast<const ffi::Any*>(node.storage()); }

// The call of a device function of that name, which is written into the source with the call.
ffi::Function CallOf(const std::string& name, const std::string& body) {
  return ffi::Function::FromTyped([name, body](const ffi::Array<ffi::Any>&) {
    const std::string source =
        "__forceinline__ __device__ void " + name + "() {\n  " + body + "\n}\n";
    const Node call = Make(global::kCall, Make(gpu::kTupleType, Node(std::vector<Node>{})),
                           Call(global::kGetOp, gpu::kFuncCall),
                           Node({Make(global::kStringImm, name), Make(global::kStringImm, source)}),
                           Node(), Node(std::vector<Node>{}));
    return ffi::Array<ffi::Any>{AnyOf(call), ffi::Array<ffi::Any>{}};
  });
}

ffi::Any Intrinsic(const ffi::String& op) {
  if (op == "tirx.cuda.cta_sync") return CallOf("tvm_builtin_cuda_cta_sync", "__syncthreads();");
  if (op == "tirx.cuda.warp_sync") return CallOf("tvm_builtin_cuda_warp_sync", "__syncwarp();");
  return nullptr;
}

// Bytes for the loader of the machine that runs them.
class DeviceBinary final : public ffi::ModuleObj {
 public:
  explicit DeviceBinary(std::string bytes) : bytes_(std::move(bytes)) {}
  const char* kind() const final { return "cuda"; }
  int GetPropertyMask() const final { return ffi::Module::kBinarySerializable; }
  ffi::Optional<ffi::Function> GetFunction(const ffi::String&) final { return std::nullopt; }
  ffi::Bytes SaveToBytes() const final { return ffi::Bytes(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace

void RegisterCudaCode() {
  ffi::Function::SetGlobal(gpu::kCudaHeader, ffi::Function::FromTyped(Header), true);
  ffi::Function::SetGlobal(gpu::kCudaIntrinsic, ffi::Function::FromTyped(Intrinsic), true);
}

// Strings are a length of 8 bytes and their text: format, [names, types, launch parameters], code.
Node WithDeviceBinary(const Node& module, const std::string& format, const std::string& binary) {
  const auto source = AnyOf(module).cast<ffi::Module>();
  const ffi::Bytes serialized = source->SaveToBytes();
  const std::string bytes(serialized.data(), serialized.size());
  const std::string code = source->InspectSource("");
  auto text = [](const std::string& value) {
    const uint64_t size = value.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + value;
  };
  uint64_t first = 0;
  if (bytes.size() < sizeof first) GiveUp("a device module of an unknown form");
  std::memcpy(&first, bytes.data(), sizeof first);
  if (first > bytes.size() || !bytes.ends_with(text(code)))
    GiveUp("a device module of an unknown form");
  const size_t begin = sizeof first + first, end = bytes.size() - text(code).size();
  ffi::Any made = ffi::Module(ffi::make_object<DeviceBinary>(
      text(format) + bytes.substr(begin, end - begin) + text(binary)));
  Node node;
  *static_cast<ffi::Any*>(node.storage()) = std::move(made);
  return node;
}

}  // namespace mutatenn
