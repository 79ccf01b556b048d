// The OpenCL runtime by itself, on the first device there is: memory, a kernel, and what goes
// wrong: source that its compiler refuses, launches that no device takes, damaged modules. Skipped
// where there is no OpenCL device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>

#include <cstring>
#include <vector>

#include "tvm/accelerator.h"

namespace mutatenn {
namespace {

namespace ffi = tvm::ffi;
using testing::HasSubstr;

constexpr char kScale[] = R"(
__kernel void scale(__global float* restrict y, __global const float* restrict x, float by, int n) {
  int i = get_group_id(0) * get_local_size(0) + get_local_id(0);
  if (i < n) y[i] = x[i] * by;
}
)";

// As the compiler writes a module of one kernel.
std::string Serialized(const std::string& source) {
  std::string bytes;
  auto number = [&](uint64_t n) { bytes.append(reinterpret_cast<const char*>(&n), sizeof n); };
  auto text = [&](const std::string& s) {
    number(s.size());
    bytes += s;
  };
  auto type = [&](DLDataType t) { bytes.append(reinterpret_cast<const char*>(&t), sizeof t); };
  text("cl");
  number(1);
  text("scale");
  text("scale");
  number(4);
  type({kDLOpaqueHandle, 64, 1});
  type({kDLOpaqueHandle, 64, 1});
  type({kDLFloat, 32, 1});
  type({kDLInt, 32, 1});
  number(2);
  text("blockIdx.x");
  text("threadIdx.x");
  number(0);
  text(source);
  return bytes;
}

ffi::Module Load(const std::string& bytes) {
  return ffi::Function::GetGlobalRequired("ffi.Module.load_from_bytes.opencl")(ffi::Bytes(bytes))
      .cast<ffi::Module>();
}

class OpenClTest : public testing::Test {
 protected:
  void SetUp() override {
    auto device = OpenAccelerator("opencl", 0);
    if (!device.ok()) GTEST_SKIP() << device.error().message;
    device_ = *device;
  }

  // y = 2 x on `blocks` times `threads`; the error where it fails.
  std::string Scale(const std::string& source, int64_t blocks, int64_t threads) {
    try {
      auto function = *Load(Serialized(source))->GetFunction("scale");
      function(y_->data(), x_->data(), 2.0, kCount, blocks, threads);
    } catch (const ffi::Error& error) {
      return error.message();
    }
    const Status status = Synchronize(device_);
    return status.ok() ? "" : status.error().message;
  }
  void MakeBuffers() {
    std::vector<float> x;
    for (int i = 0; i < kCount; ++i) x.push_back(static_cast<float>(i));
    x_ = DeviceMemory::Allocate(device_, kBytes).value();
    y_ = DeviceMemory::Allocate(device_, kBytes).value();
    ASSERT_TRUE(x_->Write(x.data(), kBytes).ok());
    ASSERT_TRUE(y_->Fill().ok());
  }

  static constexpr int kCount = 100, kBytes = 400;
  DeviceId device_;
  std::optional<DeviceMemory> x_, y_;
};

TEST_F(OpenClTest, RunsAKernelOnItsMemory) {
  EXPECT_NE(AcceleratorName(device_), "");
  MakeBuffers();
  EXPECT_EQ(Scale(kScale, 2, 64), "");
  std::vector<float> y(kCount);
  ASSERT_TRUE(y_->Read(y.data(), kBytes).ok());
  for (int i = 0; i < kCount; ++i)
    EXPECT_EQ(y[static_cast<size_t>(i)], 2.0f * static_cast<float>(i));
}

TEST_F(OpenClTest, FillIsNan) {
  MakeBuffers();
  std::vector<float> y(kCount);
  ASSERT_TRUE(y_->Read(y.data(), kBytes).ok());
  for (float value : y) EXPECT_NE(value, value);
}

TEST_F(OpenClTest, TellsWhyASourceDoesNotBuild) {
  MakeBuffers();
  const std::string text =
      Scale("__kernel void scale(__global float* y) { y[0] = nothing_there; }", 1, 1);
  EXPECT_THAT(text, HasSubstr("the device's compiler refuses the kernel"));
  EXPECT_THAT(text, HasSubstr("nothing_there"));
  EXPECT_EQ(text.find('\n'), std::string::npos) << "one line, for reports";
  EXPECT_EQ(Scale(kScale, 2, 64), "") << "the device is as good as before";
}

TEST_F(OpenClTest, RefusesLaunchesOfAWrongSize) {
  MakeBuffers();
  EXPECT_THAT(Scale(kScale, 1, 1 << 20), HasSubstr("CL_INVALID_WORK_GROUP_SIZE"));
  EXPECT_THAT(Scale(kScale, 0, 64), HasSubstr("launch parameter blockIdx.x = 0"));
  EXPECT_THAT(Scale(kScale, 1, -1), HasSubstr("launch parameter threadIdx.x = -1"));
  EXPECT_EQ(Scale(kScale, 2, 64), "");
}

TEST_F(OpenClTest, RefusesDamagedModules) {
  const std::string whole = Serialized(kScale);
  for (size_t length : {0ul, 3ul, 20ul, whole.size() - 1})
    EXPECT_THROW(Load(whole.substr(0, length)), ffi::Error) << length;
  EXPECT_FALSE(Load(whole)->GetFunction("absent").has_value());
}

TEST_F(OpenClTest, AnAbsentDeviceIsTold) {
  const auto absent = OpenAccelerator("opencl", 99);
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, Code::kUnavailable);
  EXPECT_THAT(absent.error().message, HasSubstr("no opencl device 99"));
}

}  // namespace
}  // namespace mutatenn
