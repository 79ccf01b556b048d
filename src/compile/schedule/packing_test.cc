// The kernel that packs a weight, against the layout computed here index by index.
#include "compile/schedule/packing.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <numeric>
#include <set>

#include "compile/schedule/kernel_check.h"

namespace mutatenn {
namespace {

class PackingTest : public testing::Test {
 protected:
  void SetUp() override {
    Status loaded = LoadCompiler();
    if (!loaded.ok()) GTEST_SKIP() << loaded.error().message;
  }
};

// A copy that begins where a kernel may ask its buffers to begin.
struct Aligned {
  static constexpr size_t kLine = 64;
  explicit Aligned(const std::vector<float>& from)
      : data(static_cast<float*>(
            std::aligned_alloc(kLine, (from.size() * sizeof(float) + kLine - 1) / kLine * kLine))) {
    std::copy(from.begin(), from.end(), data.get());
  }
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> data;
};

std::vector<float> PackedByKernel(const Packing& packing, const std::vector<float>& weight) {
  const Target host = ResolveTarget(R"({"kind": "llvm", "mcpu": "host"})").value();
  const KernelFunction kernel = BuildKernel(PackingKernel(packing).value(), host).value();
  const TensorType to = packing.packed();
  const auto count = static_cast<size_t>(to.Elements());
  const Aligned input(weight), output(std::vector<float>(count, std::nanf("")));
  const DLDataType type = {kDLFloat, 32, 1};
  const Status status = kernel.Call(std::vector<TensorView>{
      {input.data.get(), type, packing.weight.shape}, {output.data.get(), type, to.shape}});
  EXPECT_TRUE(status.ok()) << status.error().message;
  return std::vector<float>(output.data.get(), output.data.get() + count);
}

std::vector<float> Ramp(int64_t count) {
  std::vector<float> ramp(static_cast<size_t>(count));
  std::iota(ramp.begin(), ramp.end(), 0.0F);
  return ramp;
}

TEST_F(PackingTest, OutputChannelsOfAConvolution) {
  const int64_t oc = 12, ic = 3, kh = 2, kw = 5, block = 4;
  const Packing packing = {1, {{oc, ic, kh, kw}, "float32"}, 0, block};
  EXPECT_EQ(packing.packed().shape, (std::vector<int64_t>{oc / block, ic, kh, kw, block}));
  const std::vector<float> weight = Ramp(packing.weight.Elements());
  const std::vector<float> packed = PackedByKernel(packing, weight);
  for (int64_t o = 0; o < oc; ++o)
    for (int64_t i = 0; i < ic; ++i)
      for (int64_t y = 0; y < kh; ++y)
        for (int64_t x = 0; x < kw; ++x) {
          const int64_t at = (((o / block * ic + i) * kh + y) * kw + x) * block + o % block;
          EXPECT_EQ(packed[static_cast<size_t>(at)],
                    weight[static_cast<size_t>(((o * ic + i) * kh + y) * kw + x)]);
        }
}

TEST_F(PackingTest, ColumnsOfAMatrix) {
  const int64_t rows = 5, columns = 24, block = 8;
  const Packing packing = {1, {{rows, columns}, "float32"}, 1, block};
  EXPECT_EQ(packing.packed().shape, (std::vector<int64_t>{columns / block, rows, block}));
  const std::vector<float> weight = Ramp(rows * columns);
  const std::vector<float> packed = PackedByKernel(packing, weight);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      EXPECT_EQ(packed[static_cast<size_t>((c / block * rows + r) * block + c % block)],
                weight[static_cast<size_t>(r * columns + c)]);
}

TEST_F(PackingTest, LastBlockRepeatsTheLastChannel) {
  const int64_t oc = 10, ic = 3, block = 4;
  const Packing packing = {1, {{oc, ic}, "float32"}, 0, block};
  EXPECT_EQ(packing.packed().shape, (std::vector<int64_t>{3, ic, block}));
  const std::vector<float> weight = Ramp(packing.weight.Elements());
  const std::vector<float> packed = PackedByKernel(packing, weight);
  for (int64_t o = 0; o < 12; ++o)
    for (int64_t i = 0; i < ic; ++i)
      EXPECT_EQ(packed[static_cast<size_t>((o / block * ic + i) * block + o % block)],
                weight[static_cast<size_t>(std::min<int64_t>(o, oc - 1) * ic + i)]);
}

TEST(PackingName, TellsLayoutsApart) {
  const TensorType type = {{32, 8}, "float32"};
  const std::set<std::string> names = {
      Packing{1, type, 0, 8}.NameFor("w"), Packing{1, type, 0, 16}.NameFor("w"),
      Packing{1, type, 1, 8}.NameFor("w"), Packing{1, type, 0, 8}.NameFor("v")};
  EXPECT_EQ(names.size(), 4u);
  // Which parameter it is does not matter: another kernel may take the same weight elsewhere.
  EXPECT_EQ((Packing{1, type, 0, 8}.NameFor("w")), (Packing{0, type, 0, 8}.NameFor("w")));
}

}  // namespace
}  // namespace mutatenn
