// Kernel arguments from memory and types, and elements of any type as floats.
#include "worker/tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace mutatenn {
namespace {

template <class T>
std::vector<float> Convert(const void* data, int64_t count) {
  std::vector<float> floats(static_cast<size_t>(count));
  const char* at = static_cast<const char*>(data);
  for (float& value : floats) {
    T element;
    std::memcpy(&element, at, sizeof element);
    at += sizeof element;
    value = static_cast<float>(element);
  }
  return floats;
}

float HalfToFloat(uint16_t half) {
  int exponent = (half >> 10) & 31, mantissa = half & 1023;
  float magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                    : exponent == 0
                        ? std::ldexp(static_cast<float>(mantissa), -24)
                        : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

struct Half {
  uint16_t bits;
  explicit operator float() const { return HalfToFloat(bits); }
};
struct Brain {
  uint16_t bits;
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

}  // namespace

Status TypedProgram::Call(const KernelFunction& kernel, const Step& step,
                          std::span<void* const> arguments, DeviceId device) const {
  std::vector<TensorView> views;
  views.reserve(arguments.size());
  auto add = [&](int value) {
    size_t v = static_cast<size_t>(value);
    const int position = static_cast<int>(views.size());
    auto view = step.views.find(position);  // of inputs, which come first
    views.push_back({arguments[views.size()], dtypes[v],
                     view == step.views.end() ? program.values[v].type.shape : view->second,
                     device});
  };
  for (int value : step.inputs) add(value);
  for (int value : step.outputs) add(value);
  return kernel.Call(views);
}

Result<TypedProgram> MakeTyped(Program program) {
  TypedProgram typed;
  for (const Value& value : program.values) {
    Result<DLDataType> dtype = ParseDType(value.type.dtype);
    if (!dtype.ok()) return dtype.error().With("value '" + value.name + "'");
    typed.dtypes.push_back(*dtype);
  }
  typed.program = std::move(program);
  return typed;
}

Result<std::vector<float>> ToFloats(const void* data, const TensorType& type) {
  int64_t n = type.Elements();
  if (type.dtype == "float32") return Convert<float>(data, n);
  if (type.dtype == "float64") return Convert<double>(data, n);
  if (type.dtype == "float16") return Convert<Half>(data, n);
  if (type.dtype == "bfloat16") return Convert<Brain>(data, n);
  if (type.dtype == "int64") return Convert<int64_t>(data, n);
  if (type.dtype == "int32") return Convert<int32_t>(data, n);
  if (type.dtype == "int16") return Convert<int16_t>(data, n);
  if (type.dtype == "int8") return Convert<int8_t>(data, n);
  if (type.dtype == "uint64") return Convert<uint64_t>(data, n);
  if (type.dtype == "uint32") return Convert<uint32_t>(data, n);
  if (type.dtype == "uint16") return Convert<uint16_t>(data, n);
  if (type.dtype == "uint8" || type.dtype == "bool") return Convert<uint8_t>(data, n);
  return Fail(Code::kUnsupported, "an output of type ", type.dtype, " has no labels");
}

void CompareOutputs(const std::vector<float>& mutant, const std::vector<float>& original,
                    OutputDifference* difference) {
  difference->any |= mutant.size() != original.size();
  for (size_t i = 0; i < mutant.size(); ++i) {
    bool known = i < original.size();
    if (!std::isfinite(mutant[i]) && (!known || std::isfinite(original[i])))
      difference->nonfinite = true;
    if (!known) continue;
    if (std::bit_cast<uint32_t>(mutant[i]) != std::bit_cast<uint32_t>(original[i]))
      difference->any = true;
    if (std::isfinite(mutant[i]) && std::isfinite(original[i]))
      difference->max_abs =
          std::max(difference->max_abs, std::abs(static_cast<double>(mutant[i]) - original[i]));
  }
}

}  // namespace mutatenn
