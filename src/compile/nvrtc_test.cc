// NVRTC where it is installed: machine code for one GPU, PTX for the least, the log of what it
// refuses; and what is said where it is missing.
#include "compile/nvrtc.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace mutatenn {
namespace {

using testing::HasSubstr;

constexpr const char* kSource =
    R"(extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; })";

TEST(Nvrtc, SaysWhatToInstallWhereItIsMissing) {
  ::setenv("MUTATENN_NVRTC", "/nothing/libnvrtc.so.13", 1);
  const auto made = CompileCuda(kSource, "sm_90");
  ::unsetenv("MUTATENN_NVRTC");
  if (made.ok()) GTEST_SKIP() << "it was loaded before";
  EXPECT_EQ(made.error().code, Code::kUnavailable);
  EXPECT_THAT(made.error().message, HasSubstr("nvidia-cuda-nvrtc"));
  EXPECT_THAT(made.error().message, HasSubstr("MUTATENN_NVRTC"));
}

TEST(Nvrtc, CompilesForOneGpuOrForAll) {
  if (!LoadNvrtc().ok()) GTEST_SKIP() << "no libnvrtc.so.13";
  const auto cubin = CompileCuda(kSource, "sm_90");
  ASSERT_TRUE(cubin.ok()) << cubin.error().message;
  EXPECT_EQ(cubin.value().format, "cubin");
  EXPECT_EQ(cubin.value().bytes.substr(1, 3), "ELF");
  const auto ptx = CompileCuda(kSource, kLeastCudaArchitecture);
  ASSERT_TRUE(ptx.ok()) << ptx.error().message;
  EXPECT_EQ(ptx.value().format, "ptx");
  EXPECT_THAT(ptx.value().bytes, HasSubstr(".target sm_75"));
  EXPECT_THAT(ptx.value().bytes, HasSubstr(".entry twice"));
}

TEST(Nvrtc, TellsWhyASourceIsRefused) {
  if (!LoadNvrtc().ok()) GTEST_SKIP() << "no libnvrtc.so.13";
  const auto refused = CompileCuda("__global__ void k() { nothing_there(); }", "sm_90");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kTvm);
  EXPECT_THAT(refused.error().message, HasSubstr("nothing_there"));
  EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace mutatenn
