// For tests: a program of six small steps over hand-written kernels (tests/device/kernels.c), built
// by the C compiler into a folder of its own, and mutants of it. Needs no TVM compiler.
//   w2 = twice(w)             weight-only
//   a = multiply(x, w2)   b = add(a, bias)   c = relu(b)   d = add(c, a)   y = multiply(d, scale)
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "device/session.h"

namespace mutatenn {

class SmallProgram {
 public:
  static constexpr int kElements = 24;  // 96 bytes: 32 short of the next multiple of 64

  // `compiler`: of the machine that runs it.
  explicit SmallProgram(std::string compiler = "cc") : compiler_(std::move(compiler)) {
    std::string name = (std::filesystem::temp_directory_path() / "mutatenn-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    root_ = name;
    WriteFloats("w.bin", Ramp(0.5f, 0.125f));
    WriteFloats("bias.bin", Ramp(-2.0f, 0.25f));
    WriteFloats("scale.bin", Ramp(1.0f, -0.03125f));
  }
  ~SmallProgram() { std::filesystem::remove_all(root_); }

  const std::filesystem::path& root() const { return root_; }

  static std::vector<float> Ramp(float start, float step) {
    std::vector<float> values;
    for (int i = 0; i < kElements; ++i) values.push_back(start + step * static_cast<float>(i));
    return values;
  }
  static std::vector<float> ImageElements(int image) {
    std::vector<float> values;
    for (int i = 0; i < kElements; ++i)
      values.push_back(std::sin(static_cast<float>(image * 7 + i + 1)) * (image % 2 ? 2.0f : 1.0f));
    values[0] = image % 2 ? -1.0f : 1.0f;
    return values;
  }
  // The program by hand, for comparison.
  static std::vector<float> Expected(int image) {
    std::vector<float> x = ImageElements(image), w = Ramp(0.5f, 0.125f), bias = Ramp(-2.0f, 0.25f),
                       scale = Ramp(1.0f, -0.03125f), y;
    for (size_t i = 0; i < x.size(); ++i) {
      float a = x[i] * (w[i] * 2), b = a + bias[i], c = b > 0 ? b : 0;
      y.push_back((c + a) * scale[i]);
    }
    return y;
  }

  std::string WriteFloats(const std::string& name, const std::vector<float>& values) const {
    Status status = WriteFile(root_ / name, {reinterpret_cast<const char*>(values.data()),
                                             values.size() * sizeof(float)});
    CHECK(status.ok());
    return (root_ / name).string();
  }
  std::vector<ImageInput> Images(int count) const {
    std::vector<ImageInput> images;
    for (int i = 0; i < count; ++i) {
      std::string name = "image" + std::to_string(i);
      images.push_back({name, WriteFloats(name + ".bin", ImageElements(i))});
    }
    return images;
  }

  // Compiles a variant of kernels.c on first use.
  Kernel MakeKernel(const std::string& key, const std::string& variant) const {
    std::string library = variant + ".so";
    if (!std::filesystem::exists(root_ / library)) {
      const char* source = std::getenv("MUTATENN_SOURCE_DIR");
      CHECK(source != nullptr, "MUTATENN_SOURCE_DIR is not set; run the tests by ctest");
      std::string flag = (root_ / (variant + ".flag")).string();
      std::string command = compiler_ + " -O1 -fno-builtin -shared -fPIC -DKERNEL_" + variant +
                            " '-DFLAG_FILE=\"" + flag + "\"' -o '" + (root_ / library).string() +
                            "' '" + source + "/tests/device/kernels.c'";
      CHECK(std::system(command.c_str()) == 0, command);
    }
    return {key, variant, library, "code of " + variant};
  }

  Program Make() const {
    Program p{.model = "small", .target = "{}"};
    auto value = [&](const std::string& name, Value::Kind kind, const std::string& file = "") {
      p.values.push_back({name, kind, {{1, kElements}, "float32"}, file, 0});
    };
    value("x", Value::Kind::kInput);
    value("w", Value::Kind::kWeight, "w.bin");
    value("bias", Value::Kind::kWeight, "bias.bin");
    value("scale", Value::Kind::kWeight, "scale.bin");
    for (const char* name : {"w2", "a", "b", "c", "d", "y"}) value(name, Value::Kind::kStep);
    for (const char* name : {"twice", "multiply", "add", "relu"})
      p.kernels[name] = MakeKernel(name, name);
    auto step = [&](const std::string& output, const std::string& kernel,
                    const std::vector<std::string>& inputs) {
      Step s{.name = output, .kernel = kernel, .layers = {"layer_" + output}};
      for (const std::string& input : inputs) s.inputs.push_back(p.FindValue(input));
      s.outputs = {p.FindValue(output)};
      s.weight_only = output == "w2";
      p.steps.push_back(s);
    };
    step("w2", "twice", {"w"});
    step("a", "multiply", {"x", "w2"});
    step("b", "add", {"a", "bias"});
    step("c", "relu", {"b"});
    step("d", "add", {"c", "a"});
    step("y", "multiply", {"d", "scale"});
    p.inputs = {p.FindValue("x")};
    p.outputs = {p.FindValue("y")};
    return p;
  }

  LoadRequest Request() const {
    LoadRequest request;
    request.root = root_.string();
    request.program = Make();
    request.memory_budget_bytes = 1 << 20;
    request.limits.floor_s = 0.5;  // a kernel that raises takes 0.1 s to describe where
    request.limits.memory_bytes = 256 << 20;
    return request;
  }

  // A mutant with another kernel for `key`; guarded as code mutants are.
  MutantJob Replace(const std::string& variant, const std::vector<ImageInput>& images,
                    const std::string& key = "add") const {
    MutantJob job;
    job.program.mutant = variant;
    job.program.replaced[key] = MakeKernel(key, variant);
    job.program.guarded = {key};
    return Over(job, images);
  }
  // A mutant of the graph.
  MutantJob Changed(const std::string& name, const Program& program,
                    const std::vector<ImageInput>& images) const {
    MutantJob job;
    job.program.mutant = name;
    job.program.graph_changed = true;
    job.program.edit = Difference(Make(), program);
    return Over(job, images);
  }

 private:
  static MutantJob Over(MutantJob job, const std::vector<ImageInput>& images) {
    for (const ImageInput& image : images) job.images.push_back(image.id);
    job.stop_at_kill = false;
    return job;
  }

  std::string compiler_;
  std::filesystem::path root_;
};

}  // namespace mutatenn
