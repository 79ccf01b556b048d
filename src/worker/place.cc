// A kernel called where it is, or up, a step, down.
#include "worker/place.h"

#include <algorithm>
#include <memory>

#include "base/files.h"

namespace mutatenn {
namespace {

Error NotLoaded(const std::string& image) {
  return Fail(Code::kInvalidInput, "image '", image, "' is not of the loaded chunk");
}

Status CallOnDevice(DeviceId device, const TypedProgram& typed, const KernelFunction& kernel,
                    const Step& step, const std::vector<void*>& host) {
  kernel.SetWorkspace({AllocateFilledWorkspace, FreeFilledWorkspace});
  auto value = [&](size_t i) {
    return i < step.inputs.size() ? step.inputs[i] : step.outputs[i - step.inputs.size()];
  };
  std::vector<DeviceMemory> memory;
  std::vector<void*> arguments;
  for (size_t i = 0; i < host.size(); ++i) {
    memory.push_back(TRY(DeviceMemory::Allocate(device, typed.Bytes(value(i)))));
    if (i < step.inputs.size())
      TRY(memory[i].Write(host[i], memory[i].bytes()));
    else
      TRY(memory[i].Fill());
    arguments.push_back(memory[i].data());
  }
  TRY(typed.Call(kernel, step, arguments, device));
  TRY(Synchronize(device));
  for (size_t i = step.inputs.size(); i < host.size(); ++i)
    TRY(memory[i].Read(host[i], memory[i].bytes()));
  return Ok();
}

}  // namespace

Place OnCpu(const Original& original, const References& references) {
  return {
      .input = [&](const std::string& name) -> Result<const void*> {
        const int image = references.Find(name);
        if (image < 0) return NotLoaded(name);
        return references.Value(image, original.input());
      },
      .call =
          [](const TypedProgram& typed, const KernelFunction& kernel, const Step& step,
             const std::vector<void*>& arguments) { return typed.Call(kernel, step, arguments); }};
}

Place OnAccelerator(const Original& original, DeviceId device, std::vector<ImageInput> images) {
  auto bytes = std::make_shared<std::string>();
  return {.input = [&original, images = std::move(images),
                    bytes](const std::string& name) -> Result<const void*> {
            const auto image = std::find_if(images.begin(), images.end(),
                                            [&](const ImageInput& i) { return i.id == name; });
            if (image == images.end()) return NotLoaded(name);
            *bytes = TRY(ReadFile(image->file));
            if (std::ssize(*bytes) != original.typed().Bytes(original.input()))
              return Fail(Code::kInvalidInput, image->file, ": is no input of the program's");
            return bytes->data();
          },
          .call =
              [device](const TypedProgram& typed, const KernelFunction& kernel, const Step& step,
                       const std::vector<void*>& arguments) {
                return CallOnDevice(device, typed, kernel, step, arguments);
              }};
}

}  // namespace mutatenn
