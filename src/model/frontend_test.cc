// Imports of models built by make_models.py: which node every binding came from, weights, refusals;
// the numbers against onnxruntime (onnx_oracle.py).
#include <gmock/gmock.h>

#include <chrono>
#include <cstring>
#include <map>

#include "base/files.h"
#include "model/model.h"
#include "model/test_support.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

int Count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

class FrontendTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!HasPython()) return;
    folder_ = new TemporaryFolder;
    ::setenv("MUTATENN_PYTHONPATH", (TestEnvironment("MUTATENN_SOURCE_DIR") + "/python").c_str(),
             1);
    ASSERT_EQ(RunPython("make_models.py", {folder_->path().string()}), "");
    auto frontend = StartFrontend("");
    ASSERT_TRUE(frontend.ok()) << frontend.error().message;
    frontend_ = frontend->release();
  }
  static void TearDownTestSuite() {
    delete frontend_;
    delete folder_;
    frontend_ = nullptr;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (!frontend_) GTEST_SKIP() << "MUTATENN_PYTHON and MUTATENN_SOURCE_DIR are not set";
  }

  static std::string Path(const std::string& model) { return *folder_ / model; }
  static Result<ImportedModel> Import(const std::string& model) {
    return frontend_->Import(Path(model), Path("weights.bin"));
  }
  // The error's message without the model's path in front.
  static std::string Refusal(const std::string& model, Code code) {
    auto imported = Import(model);
    if (imported.ok()) return "was imported";
    const Error& error = imported.error();
    EXPECT_EQ(error.code, code) << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
    EXPECT_TRUE(error.message.starts_with(Path(model) + ": ")) << error.message;
    return error.message.substr(std::min(error.message.size(), Path(model).size() + 2));
  }

  static TemporaryFolder* folder_;
  static Frontend* frontend_;
};

TemporaryFolder* FrontendTest::folder_ = nullptr;
Frontend* FrontendTest::frontend_ = nullptr;

// "conv" for the binding that is the node, "conv*" for a synthetic one.
std::vector<std::string> Origins(const ImportedModel& model) {
  std::vector<std::string> origins;
  for (const ImportedBinding& b : model.bindings) {
    origins.push_back(model.layers[b.layer].name + (b.synthetic ? "*" : ""));
  }
  return origins;
}

TEST_F(FrontendTest, EveryBindingKnowsItsNode) {
  auto model = Import("layers.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  std::vector<std::string> layers;
  for (const ImportedLayer& layer : model->layers) layers.push_back(layer.name + " " + layer.op);
  // Nothing is left of the folded Cast and of Dropout; the Clip without a name has its output's.
  EXPECT_THAT(layers,
              ElementsAre("conv Conv", "bn BatchNormalization", "a0 Clip", "conv2 Conv",
                          "relu Relu", "sum Sum", "max Max", "lrn LRN", "pad Pad",
                          "pool AveragePool", "gap GlobalAveragePool", "flat Flatten", "fc Gemm"));
  EXPECT_THAT(Origins(*model),
              ElementsAre("conv", "conv*", "bn", "bn*", "a0", "conv2", "relu", "sum", "sum", "max",
                          "lrn*", "lrn*", "lrn*", "lrn*", "lrn*", "lrn*", "lrn*", "lrn*", "lrn*",
                          "lrn", "pad", "pool", "gap", "flat", "fc", "fc*"));
  EXPECT_EQ(model->num_inputs, 1);
  EXPECT_EQ(Count(model->module_json, "\"type\":\"relax.expr.VarBinding\""), 26);
  EXPECT_EQ(Count(model->module_json, "\"type\":\"relax.expr.DataflowBlock\""), 1);
  EXPECT_FALSE(fs::exists(Path("weights.bin.module.json")));
}

TEST_F(FrontendTest, LargeConstantsAreAlignedWeights) {
  auto model = Import("layers.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  auto file = ReadFile(Path("weights.bin"));
  ASSERT_TRUE(file.ok());
  std::vector<std::string> names;
  int64_t end = 0;
  for (const ImportedWeight& w : model->weights) {
    names.push_back(w.name);
    EXPECT_EQ(w.dtype, "float32") << w.name;
    EXPECT_EQ(w.offset, (end + 63) / 64 * 64) << w.name;
    int64_t elements = 1;
    for (int64_t size : w.shape) elements *= size;
    EXPECT_EQ(w.bytes, elements * 4) << w.name;
    end = w.offset + w.bytes;
  }
  EXPECT_EQ(end, static_cast<int64_t>(file->size()));
  EXPECT_THAT(names, ElementsAre("w0_half", "b0", "g", "bt", "m", "v", "w1", "wg", "bg"));
  // The bias fits the convolution, the matrix is transposed (the model's is 5 x 4).
  EXPECT_THAT(model->weights[1].shape, ElementsAre(1, 4, 1, 1));
  EXPECT_THAT(model->weights[7].shape, ElementsAre(4, 5));
  // What was float16 is float32 with float16's values: the lower 13 bits of the mantissa are 0.
  const ImportedWeight& half = model->weights[0];
  for (int64_t at = 0; at < half.bytes; at += 4) {
    uint32_t bits;
    std::memcpy(&bits, file->data() + half.offset + at, 4);
    EXPECT_EQ(bits & 0x1fff, 0u);
  }
}

TEST_F(FrontendTest, InputsOutputsAndSharedWeights) {
  auto model = Import("several.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->num_inputs, 2);
  EXPECT_THAT(Origins(*model), ElementsAre("add", "mul", "clip_low", "clip_high", "split", "split*",
                                           "split*", "sub", "mul2", "mean*", "mean*", "mean"));
  ASSERT_EQ(model->weights.size(), 1u);  // used twice
  EXPECT_EQ(model->weights[0].name, "w");
}

TEST_F(FrontendTest, ShapesAreComputedAndNamesMadeUnique) {
  auto model = Import("shapes.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_THAT(Origins(*model), ElementsAre("reshape", "matmul", "bias"));
  auto repeated = Import("repeated.onnx");
  ASSERT_TRUE(repeated.ok()) << repeated.error().message;
  EXPECT_THAT(Origins(*repeated), ElementsAre("same", "same_2"));
  EXPECT_TRUE(repeated->weights.empty());
}

TEST_F(FrontendTest, RefusalsAreOneLineWithFileAndReason) {
  EXPECT_EQ(Refusal("unsupported.onnx", Code::kUnsupported),
            "TVM cannot import the operator Det (first in node det), Hypot (first in node h)");
  EXPECT_THAT(Refusal("open.onnx", Code::kUnsupported),
              HasSubstr("input x: the size of dimension 1 is open (height)"));
  EXPECT_THAT(Refusal("run_time_size.onnx", Code::kUnsupported), HasSubstr("nonzero"));
  EXPECT_THAT(Refusal("bad_shapes.onnx", Code::kUnsupported), HasSubstr("node bad (Conv)"));
  EXPECT_THAT(Refusal("constant.onnx", Code::kUnsupported), HasSubstr("computes nothing"));
  EXPECT_THAT(Refusal("invalid.onnx", Code::kInvalidInput), HasSubstr("not a valid ONNX model"));
  for (const char* file : {"text.onnx", "truncated.onnx", "empty.onnx"}) {
    EXPECT_THAT(Refusal(file, Code::kInvalidInput), HasSubstr("not an ONNX model")) << file;
  }
  EXPECT_EQ(Refusal("missing.onnx", Code::kNotFound), "no such model file");
  ASSERT_TRUE(WriteFile(Path("model.pth"), "x").ok());
  EXPECT_EQ(Refusal("model.pth", Code::kInvalidInput),
            "unknown kind of model '.pth'; known: .onnx");
  auto unwritable = frontend_->Import(Path("layers.onnx"), Path("no/such/folder/weights.bin"));
  ASSERT_FALSE(unwritable.ok());
  EXPECT_EQ(unwritable.error().code, Code::kIo) << unwritable.error().message;
  EXPECT_TRUE(Import("layers.onnx").ok());  // the child lives on
}

TEST_F(FrontendTest, EveryTruncationIsRefused) {
  auto bytes = ReadFile(Path("layers.onnx"));
  ASSERT_TRUE(bytes.ok());
  for (size_t kept = 0; kept < bytes->size(); kept += 37) {
    ASSERT_TRUE(WriteFile(Path("cut.onnx"), bytes->substr(0, kept)).ok());
    auto model = Import("cut.onnx");
    ASSERT_FALSE(model.ok()) << kept;
    EXPECT_EQ(model.error().code, Code::kInvalidInput) << kept << ": " << model.error().message;
  }
}

TEST_F(FrontendTest, LegalizeGivesCallTirOrSaysWhy) {
  auto model = Import("repeated.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  auto legal = frontend_->Legalize(model->module_json);
  ASSERT_TRUE(legal.ok()) << legal.error().message;
  EXPECT_GT(Count(*legal, "relax.call_tir"), 0);
  EXPECT_EQ(Count(*legal, "relax.nn.relu"), 0);
  EXPECT_EQ(Count(*legal, "\"type\":\"tirx.PrimFunc\""), 2);
  std::string other = model->module_json;
  size_t at = other.find("relax.nn.relu");
  ASSERT_NE(at, std::string::npos);
  other.replace(at, 13, "relax.builtin.stop_lift_params");
  auto refused = frontend_->Legalize(other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kUnsupported);
  EXPECT_EQ(refused.error().message, "no legalisation for relax.builtin.stop_lift_params");
  EXPECT_EQ(frontend_->Legalize("no module").error().code, Code::kTvm);
}

TEST_F(FrontendTest, ImportedModelsAgreeWithOnnxruntime) {
  EXPECT_EQ(
      RunPython("onnx_oracle.py", {Path("layers.onnx"), Path("shapes.onnx"), Path("several.onnx")}),
      "");
}

TEST_F(FrontendTest, SharedModelsKeepTheirNodes) {
  std::string shared = SharedFolder() + "/models";
  if (!fs::exists(shared)) GTEST_SKIP() << shared << " is not there";
  using Counts = std::map<std::string, int>;
  const std::map<std::string, Counts> expected = {{"efficientnet_lite0",
                                                   {{"Conv", 49},
                                                    {"BatchNormalization", 49},
                                                    {"Clip", 33},
                                                    {"Add", 9},
                                                    {"GlobalAveragePool", 1},
                                                    {"Flatten", 1},
                                                    {"Gemm", 1}}},
                                                  {"mobilenetv2",
                                                   {{"Conv", 52},
                                                    {"Clip", 35},
                                                    {"Add", 10},
                                                    {"GlobalAveragePool", 1},
                                                    {"Flatten", 1},
                                                    {"Gemm", 1}}},
                                                  {"squeezenet1.1",
                                                   {{"Conv", 26},
                                                    {"Relu", 26},
                                                    {"MaxPool", 3},
                                                    {"Concat", 8},
                                                    {"GlobalAveragePool", 1},
                                                    {"Flatten", 1}}}};
  for (const auto& [name, counts] : expected) {
    auto start = std::chrono::steady_clock::now();
    auto frontend = StartFrontend("");
    ASSERT_TRUE(frontend.ok());
    auto model = (*frontend)->Import(shared + "/" + name + ".onnx", Path("weights.bin"));
    ASSERT_TRUE(model.ok()) << model.error().message;
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    RecordProperty(name + "_seconds", std::to_string(seconds.count()));
    EXPECT_LT(seconds.count(), 30);  // 2.0 s of CPU time, interpreter start included
    Counts real, nodes;
    for (const ImportedBinding& b : model->bindings)
      real[model->layers[b.layer].op] += !b.synthetic;
    for (const ImportedLayer& layer : model->layers) ++nodes[layer.op];
    EXPECT_EQ(real, counts) << name;
    EXPECT_EQ(nodes, counts) << name;
    EXPECT_EQ(Count(model->module_json, "\"type\":\"relax.expr.VarBinding\""),
              static_cast<int>(model->bindings.size()));
  }
}

TEST_F(FrontendTest, WhatCannotStartIsExplained) {
  EXPECT_EQ(StartFrontend("/no/such/python").error().code, Code::kNotFound);
  auto dead = StartFrontend("/bin/false");
  ASSERT_TRUE(dead.ok());
  auto import = (*dead)->Import(Path("layers.onnx"), Path("weights.bin"));
  ASSERT_FALSE(import.ok());
  EXPECT_EQ(import.error().code, Code::kUnavailable);
  EXPECT_THAT(import.error().message, HasSubstr("exited with status 1"));
  ::setenv("MUTATENN_PYTHONPATH", "/nowhere", 1);
  auto lost = StartFrontend("");
  ::setenv("MUTATENN_PYTHONPATH", (TestEnvironment("MUTATENN_SOURCE_DIR") + "/python").c_str(), 1);
  ASSERT_TRUE(lost.ok());
  import = (*lost)->Import(Path("layers.onnx"), Path("weights.bin"));
  ASSERT_FALSE(import.ok());
  EXPECT_THAT(import.error().message, HasSubstr("mutatenn"));
}

}  // namespace
}  // namespace mutatenn
