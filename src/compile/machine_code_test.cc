// What a kernel's code is, alone and among others: addresses differ there, constants and names do
// not.
#include "compile/machine_code.h"

#include <gtest/gtest.h>

#include "compile/codegen.h"
#include "compile/schedule/packing.h"
#include "program/program.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

class MachineCodeTest : public testing::Test {
 protected:
  void SetUp() override {
    Status loaded = LoadCompiler();
    if (!loaded.ok()) GTEST_SKIP() << loaded.error().message;
    host_ = ResolveTarget(R"({"kind": "llvm", "mcpu": "host"})").value();
  }

  // Lowered: packs a weight of `channels` rows, adding `shift`, a constant in memory.
  Node Kernel(int64_t channels, double shift) {
    const Node function = PackingKernel({0, {{channels, 24}, "float32"}, 0, 8}).value();
    const Node body = Map(function["body"], [&](const Node& node) {
      if (!node.Is(type::kBufferStore)) return node;
      return WithFields(node,
                        {{"value", Make(prim::kAdd, node["value"], FloatImm("float32", shift))}});
    });
    return Lower(WithFields(function, {{"body", body}}), host_).value();
  }
  // The codes of kernels that are built together, for how often they run.
  std::vector<std::string> Codes(const std::vector<Node>& kernels, bool once = false) {
    const auto emitted = EmitObject(kernels, once ? host_.once : host_.node);
    EXPECT_TRUE(emitted.ok()) << emitted.error().message;
    const std::string& object = emitted.value();
    std::vector<std::string> codes;
    for (size_t i = 0; i < kernels.size(); ++i) {
      const auto code = CodeOf(object, SymbolOf(i, kernels.size()));
      EXPECT_TRUE(code.ok()) << code.error().message;
      codes.push_back(code.value());
    }
    return codes;
  }

  Target host_;
};

TEST_F(MachineCodeTest, DoesNotDependOnTheNeighbours) {
  const std::vector<Node> kernels = {Kernel(32, 0.1), Kernel(40, 0.2), Kernel(32, 0.3),
                                     Kernel(32, 0.1)};
  const std::vector<std::string> together = Codes(kernels);
  const std::vector<std::string> once = Codes(kernels, true);
  for (size_t i = 0; i < kernels.size(); ++i) {
    EXPECT_NE(together[i], "");
    EXPECT_EQ(Codes({kernels[i]}), std::vector<std::string>{together[i]}) << i;
    EXPECT_NE(once[i], "");
    EXPECT_EQ(Codes({kernels[i]}, true), std::vector<std::string>{once[i]}) << i;
  }
  EXPECT_EQ(together[0], together[3]);
  EXPECT_EQ(once[0], once[3]);
  EXPECT_NE(once[0], once[1]);
}

TEST_F(MachineCodeTest, AConstantInMemoryIsPartOfIt) {
  // The same instructions: only what stands in the pool of constants differs.
  const std::vector<std::string> codes = Codes({Kernel(32, 0.1), Kernel(32, 0.3)});
  EXPECT_NE(codes[0], codes[1]);
}

TEST_F(MachineCodeTest, RefusesWhatIsNoObject) {
  EXPECT_EQ(CodeOf("no object", "kernel").error().code, Code::kInternal);
  const std::string object = EmitObject({Kernel(32, 0.1)}, host_.node).value();
  EXPECT_EQ(CodeOf(object.substr(0, object.size() / 2), "kernel").error().code, Code::kInternal);
  EXPECT_EQ(CodeOf(object, "other").error().code, Code::kInternal);
}

}  // namespace
}  // namespace mutatenn
