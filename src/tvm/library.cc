// Loads, initialises and calls a Relax virtual machine; every exception of TVM's ends here.
#include "tvm/library.h"

#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace mutatenn {
namespace ffi = tvm::ffi;
namespace {

constexpr int kPooled = 2;  // the VM's allocator
constexpr size_t kAlignment = 64;

template <class F>
auto Caught(const std::string& path, F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const ffi::Error& error) {
    const std::string text = error.message();
    return Fail(Code::kTvm, path, ": ", std::string(error.kind()), ": ",
                text.substr(0, text.find('\n')));
  } catch (const std::exception& error) {
    return Fail(Code::kTvm, path, ": ", error.what());
  }
}

struct Allocate {
  void AllocData(DLTensor* tensor) {
    tensor->data = std::aligned_alloc(
        kAlignment, (ffi::GetDataSize(*tensor) + kAlignment - 1) / kAlignment * kAlignment);
  }
  void FreeData(DLTensor* tensor) { std::free(tensor->data); }
};

Result<std::vector<float>> Floats(const ffi::Tensor& tensor) {
  const DLDataType type = tensor.dtype();
  if (type.code != kDLFloat || type.bits != 32 || type.lanes != 1 || !tensor.IsContiguous() ||
      tensor.device().device_type != kDLCPU)
    return Fail(Code::kUnsupported, "an output that is no float32 tensor of the CPU");
  std::vector<float> values(static_cast<size_t>(tensor.numel()));
  std::memcpy(values.data(), static_cast<const char*>(tensor.data_ptr()) + tensor.byte_offset(),
              values.size() * sizeof(float));
  return values;
}

}  // namespace

struct NetworkLibrary::State {
  std::string path;
  ffi::Module library, machine;
  ffi::Function main;
};

Result<NetworkLibrary> NetworkLibrary::Load(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0)
    return Fail(Code::kNotFound, path, ": ", std::strerror(errno));
  return Caught(path, [&]() -> Result<NetworkLibrary> {
    auto refused = [&](const char* why) { return Fail(Code::kUnsupported, path, ": ", why); };
    ffi::Module library = ffi::Module::LoadFromFile(path);
    ffi::Optional<ffi::Function> load = library->GetFunction("vm_load_executable");
    if (!load.has_value()) return refused("holds no Relax VM executable");
    ffi::Module machine = (*load)().cast<ffi::Module>();
    (*machine->GetFunction("vm_initialization"))(static_cast<int>(kDLCPU), 0, kPooled);
    ffi::Optional<ffi::Function> main = machine->GetFunction("main");
    if (!main.has_value()) return refused("has no function `main`");
    const int64_t arity =
        (*machine->GetFunction("get_function_arity"))(ffi::String("main")).cast<int64_t>();
    if (arity != 1)
      return refused("`main` wants more than the input; bind the weights before compiling");
    NetworkLibrary loaded;
    loaded.state_ = std::make_shared<State>(State{path, library, machine, *main});
    return loaded;
  });
}

Result<std::vector<std::vector<float>>> NetworkLibrary::Run(const TensorView& input) const {
  return Caught(state_->path, [&]() -> Result<std::vector<std::vector<float>>> {
    ffi::Tensor tensor =
        ffi::Tensor::FromNDAlloc(Allocate(), ffi::Shape(input.shape.begin(), input.shape.end()),
                                 input.dtype, DLDevice{kDLCPU, 0});
    std::memcpy(tensor.data_ptr(), input.data,
                ffi::GetDataSize(static_cast<size_t>(tensor.numel()), tensor.dtype()));
    const ffi::Any result = state_->main(tensor);
    std::vector<std::vector<float>> outputs;
    if (auto one = result.try_cast<ffi::Tensor>()) {
      outputs.push_back(TRY(Floats(*one)));
      return outputs;
    }
    for (const ffi::Any& each : result.cast<ffi::Array<ffi::Any>>())
      outputs.push_back(TRY(Floats(each.cast<ffi::Tensor>())));
    return outputs;
  });
}

}  // namespace mutatenn
