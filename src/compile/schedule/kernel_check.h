// For tests and measurements of the schedule rules: kernels made by schedule_test_kernels.py, built
// into libraries, run on random inputs, compared and timed.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "compile/codegen.h"
#include "compile/schedule/anatomy.h"
#include "compile/schedule/schedule.h"
#include "program/program.h"
#include "tvm/runtime.h"

namespace mutatenn {

struct TestKernel {
  std::string name;
  int calls = 0;
  std::vector<int> constants;
  Node function;  // as fused
};

inline Result<std::vector<TestKernel>> ReadKernels(const std::string& json_path) {
  const Json json = TRY(ParseJson(TRY(ReadFile(json_path)), json_path));
  std::vector<TestKernel> kernels;
  for (const Json& item : json) {
    TestKernel kernel;
    kernel.name = item["name"].get<std::string>();
    kernel.calls = item["calls"].get<int>();
    kernel.constants = item["constants"].get<std::vector<int>>();
    kernel.function =
        TRY(Guard(kernel.name, [&] { return FromJsonText(item["function"].get<std::string>()); }));
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

inline const VectorUnit kUnits[] = {{16, 32}, {8, 16}, {4, 16}};
inline const char* const kNetworks[] = {"efficientnet_lite0", "mobilenetv2", "squeezenet1.1"};

inline std::string Environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

inline std::string PathOf(const std::string& network) {
  return Environment("MUTATENN_MODELS", "/work/shared/models") + "/" + network + ".onnx";
}

// What schedule_test_kernels.py makes of a network or an option of its own. Kept between tests by
// the content of script, table and model.
inline Result<std::vector<TestKernel>> MakeKernels(const std::string& source) {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::path(Environment("MUTATENN_SOURCE_DIR", ".")) / "src/compile/schedule";
  const fs::path script = folder / "schedule_test_kernels.py";
  std::string key = source + TRY(ReadFile(script));
  if (source.starts_with("--shapes")) key += TRY(ReadFile(folder / "network_shapes.json"));
  if (source.ends_with(".onnx")) key += TRY(ReadFile(source));
  const fs::path made =
      fs::temp_directory_path() / ("mutatenn-kernels-" + HashBytes(key) + ".json");
  if (!fs::exists(made)) {
    const fs::path aside = made.string() + "." + std::to_string(::getpid());
    const std::string command = Environment("MUTATENN_PYTHON", "python3") + " '" + script.string() +
                                "' " + source + " > '" + aside.string() + "'";
    if (std::system(command.c_str()) != 0) return Fail(Code::kUnavailable, "failed: ", command);
    fs::rename(aside, made);
  }
  return ReadKernels(made);
}

inline Result<KernelFunction> BuildKernel(const Node& function, const Target& target) {
  static int count = 0;
  const std::string path =
      (std::filesystem::temp_directory_path() /
       ("schedule-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".so"))
          .string();
  TRY(BuildLibrary(function, target, path));
  Result<KernelFunction> kernel = LoadKernel(path, kKernelSymbol);
  ::unlink(path.c_str());
  return kernel;
}

// Random inputs in [-1, 1) of a function's parameters; the last parameter is the output. Each
// buffer starts at a multiple of 64, as the worker's do, and is followed by less than 64 bytes of
// NaN and then by a page that cannot be touched: a kernel that leaves its buffers crashes or shows
// NaN.
class Buffers {
 public:
  explicit Buffers(const Node& function, unsigned seed = 7) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (const Node& parameter : function["params"].Items()) {
      shapes_.push_back(ShapeOf(parameter));
      size_t count = 1;
      for (int64_t extent : shapes_.back()) count *= static_cast<size_t>(extent);
      counts_.push_back(count);
      constexpr size_t kPage = 4096, kLine = 64;
      const size_t used = (count * sizeof(float) + kLine - 1) / kLine * kLine;
      const size_t pages = (used + kPage - 1) / kPage * kPage;
      void* block =
          ::mmap(nullptr, pages + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      CHECK(block != MAP_FAILED);
      char* begin = static_cast<char*>(block) + kPage;
      CHECK(::mprotect(begin, pages, PROT_READ | PROT_WRITE) == 0);
      auto* data = reinterpret_cast<float*>(begin + pages - used);
      std::fill_n(data, used / sizeof(float), std::nanf(""));
      for (size_t i = 0; i < count; ++i) data[i] = uniform(random);
      blocks_.emplace_back(block, Unmap{pages + 2 * kPage});
      data_.push_back(data);
    }
  }
  Status Run(const KernelFunction& kernel) const {
    std::vector<TensorView> views;
    for (size_t i = 0; i < data_.size(); ++i) views.push_back(View(i));
    return kernel.Call(views);
  }
  // Copies the inputs to those of a kernel that takes one of them packed.
  Status PackInto(const Buffers& other, const Packing& packing, const Target& target) const {
    const KernelFunction pack = TRY(BuildKernel(TRY(PackingKernel(packing)), target));
    for (size_t i = 0; i + 1 < data_.size(); ++i) {
      if (i == static_cast<size_t>(packing.input))
        TRY(pack.Call(std::vector<TensorView>{View(i), other.View(i)}));
      else
        std::copy_n(data_[i], counts_[i], other.data_[i]);
    }
    return Ok();
  }
  // The output, after it was filled with NaN and the kernel run once.
  Result<std::vector<float>> Output(const KernelFunction& kernel) const {
    std::fill_n(data_.back(), counts_.back(), std::nanf(""));
    TRY(Run(kernel));
    return std::vector<float>(data_.back(), data_.back() + counts_.back());
  }

 private:
  TensorView View(size_t i) const { return {data_[i], DLDataType{kDLFloat, 32, 1}, shapes_[i]}; }

  std::vector<std::vector<int64_t>> shapes_;
  struct Unmap {
    size_t bytes;
    void operator()(void* block) const { ::munmap(block, bytes); }
  };
  std::vector<std::unique_ptr<void, Unmap>> blocks_;
  std::vector<float*> data_;
  std::vector<size_t> counts_;
};

// The largest difference over 1e-3 of the value plus 1e-4 of the largest value: at most 1 is equal.
inline double Excess(const std::vector<float>& got, const std::vector<float>& expected) {
  float largest = 0;
  for (float value : expected) largest = std::max(largest, std::fabs(value));
  double excess = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double allowed = 1e-3 * std::fabs(expected[i]) + 1e-4 * largest + 1e-30;
    const double difference = std::fabs(got[i] - expected[i]) / allowed;
    if (!(difference <= excess)) excess = difference;  // keeps NaN
    if (std::isnan(excess)) return 1e30;
  }
  return excess;
}

// Seconds of the fastest of several runs, within about `budget` seconds.
inline double BestTime(const Buffers& buffers, const KernelFunction& kernel, double budget = 0.02) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double best = 1e9;
  for (int run = 0; run < 2 || std::chrono::duration<double>(Clock::now() - begin).count() < budget;
       ++run) {
    const auto start = Clock::now();
    if (!buffers.Run(kernel).ok()) return -1;
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

}  // namespace mutatenn
