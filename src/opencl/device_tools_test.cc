// The kernels by which an accelerator's values are compared and checked (program/device_tools.h),
// compiled for OpenCL and run there, against words compared on the host; and parts of a device's
// memory. Skipped where there is no OpenCL device.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "compile/codegen.h"
#include "compile/device_tools.h"
#include "program/device_tools.h"
#include "program/program.h"
#include "tvm/accelerator.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace {

using Words = std::vector<uint32_t>;

class DeviceToolsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto device = OpenAccelerator("opencl", 0);
    if (!device.ok()) GTEST_SKIP() << device.error().message;
    device_ = *device;
    ASSERT_TRUE(LoadCompiler().ok());
  }
  std::string Build(const Node& function) {
    std::string path =
        (std::filesystem::path(testing::TempDir()) /
         ("tool" + std::to_string(::getpid()) + std::to_string(libraries_++) + ".so"))
            .string();
    const Status built = BuildLibrary(function, ResolveTarget("opencl").value(), path);
    EXPECT_TRUE(built.ok()) << built.error().message;
    return path;
  }
  KernelFunction Compile(const Node& function) {
    const std::string path = Build(function);
    KernelFunction kernel = LoadKernel(path, kKernelSymbol).value();
    std::filesystem::remove(path);
    return kernel;
  }
  DeviceMemory Upload(const Words& words) {
    auto memory = DeviceMemory::Allocate(device_, 4 * std::ssize(words)).value();
    EXPECT_TRUE(memory.Write(words.data(), 4 * std::ssize(words)).ok());
    return memory;
  }
  Words Download(const DeviceMemory& memory) {
    Words words(static_cast<size_t>(memory.bytes() / 4));
    EXPECT_TRUE(memory.Read(words.data(), memory.bytes()).ok());
    return words;
  }
  void Call(const KernelFunction& kernel, const std::vector<const DeviceMemory*>& memory,
            const std::vector<int64_t>& numbers) {
    static constexpr int64_t kShape[] = {1};
    std::vector<TensorView> views;
    for (const DeviceMemory* each : memory)
      views.push_back({each->data(), DLDataType{kDLUInt, 32, 1}, kShape, device_});
    const Status called = kernel.Call(views, numbers);
    EXPECT_TRUE(called.ok()) << called.error().message;
  }

  DeviceId device_;
  int libraries_ = 0;
};

TEST_F(DeviceToolsTest, DifferFindsEveryWordThatDiffersAndNoOther) {
  const KernelFunction differ = Compile(DifferFunction().value());
  constexpr int64_t kChunks = 5;
  // Two values: of a chunk and 3 words, and of 1000 words; the last chunk is nobody's.
  const Words table = {0, kChunkWords, 0, 3, 2, 1000, 4, 0, 4, 0};
  std::mt19937 random(1);
  Words a(kChunks * kChunkWords);
  std::generate(a.begin(), a.end(), random);
  const auto flags_of = [&](size_t word, uint32_t change, int64_t begin, int64_t chunks) {
    Words b = a;
    b[word] ^= change;
    const DeviceMemory left = Upload(a), right = Upload(b), rows = Upload(table),
                       flags = Upload(Words(9, 0));
    Call(differ, {&left, &right, &rows, &flags}, {begin, 2, chunks});
    return Download(flags);
  };
  const Words none(9, 0);
  EXPECT_EQ(flags_of(0, 0, 0, kChunks), none);
  const auto one = [&](size_t flag) {
    Words flags = none;
    flags[2 + flag] = 1;
    return flags;
  };
  EXPECT_EQ(flags_of(0, 1, 0, kChunks), one(0));
  EXPECT_EQ(flags_of(kChunkWords - 1, 1u << 31, 0, kChunks), one(0));
  EXPECT_EQ(flags_of(kChunkWords + 2, 4, 0, kChunks), one(0));
  EXPECT_EQ(flags_of(kChunkWords + 3, 4, 0, kChunks), one(1)) << "behind the first value";
  EXPECT_EQ(flags_of(2 * kChunkWords + 999, 4, 0, kChunks), one(2));
  EXPECT_EQ(flags_of(3 * kChunkWords - 1, 4, 0, kChunks), one(3));
  EXPECT_EQ(flags_of(4 * kChunkWords, 4, 0, kChunks), one(5));
  EXPECT_EQ(flags_of(0, 1, 1, 4), none) << "not among the chunks asked for";
  EXPECT_EQ(flags_of(2 * kChunkWords, 1, 1, 1), none);
  EXPECT_EQ(flags_of(2 * kChunkWords, 1, 2, 1), one(2));
}

TEST_F(DeviceToolsTest, DigestTellsAnyWordApart) {
  const KernelFunction digest = Compile(DigestFunction().value());
  constexpr int64_t kRounds = 3;
  Words a(kRounds * kDigestWords);
  std::iota(a.begin(), a.end(), 7u);
  const auto of = [&](const Words& words) {
    const DeviceMemory memory = Upload(words), made = Upload(Words(kDigestWords, 99));
    Call(digest, {&memory, &made}, {kRounds});
    return Download(made);
  };
  const Words whole = of(a);
  EXPECT_EQ(of(a), whole);
  // The definition, word by word: blocks of threads read what lies together.
  for (size_t block : {size_t{0}, size_t{17}, static_cast<size_t>(kDigestWords / kToolThreads - 1)})
    for (size_t thread : {0, 63}) {
      uint32_t expected = 0;
      for (size_t k = 0; k < kRounds; ++k)
        expected = expected * 31 + a[(block * kRounds + k) * kToolThreads + thread];
      EXPECT_EQ(whole[block * kToolThreads + thread], expected) << block << " " << thread;
    }
  for (size_t word : {size_t{0}, size_t{1}, a.size() / 2, a.size() - 1}) {
    Words b = a;
    b[word] ^= 1u << 31;
    EXPECT_NE(of(b), whole) << word;
  }
}

// A mutant's kernel may be another one's: who loaded it first may be done with it before the other.
TEST_F(DeviceToolsTest, AKernelLoadedTwiceOutlivesTheFirst) {
  const std::string path = Build(DigestFunction().value());
  auto first = std::make_optional(LoadKernel(path, kKernelSymbol).value());
  Words a(kDigestWords);
  std::iota(a.begin(), a.end(), 7u);
  const auto of = [&](const KernelFunction& digest) {
    const DeviceMemory memory = Upload(a), made = Upload(Words(kDigestWords, 99));
    Call(digest, {&memory, &made}, {1});
    return Download(made);
  };
  EXPECT_EQ(of(*first), a);
  const KernelFunction second = LoadKernel(path, kKernelSymbol).value();
  std::filesystem::remove(path);
  first.reset();
  // Others come to lie where the first one's functions were.
  std::vector<KernelFunction> others;
  for (int i = 0; i < 4; ++i) others.push_back(Compile(DifferFunction().value()));
  EXPECT_EQ(of(second), a);
}

TEST_F(DeviceToolsTest, PartsCopiesAndFills) {
  const int64_t words = 3 * kPartAlignment / 4;
  Words a(static_cast<size_t>(words));
  std::iota(a.begin(), a.end(), 0u);
  const DeviceMemory from = Upload(a), to = Upload(Words(a.size(), 5));
  ASSERT_TRUE(to.CopyFrom(from, 8, 16, 12).ok());
  ASSERT_TRUE(to.Fill(kPartAlignment, 8).ok());
  Words expected(a.size(), 5);
  for (size_t i = 0; i < 3; ++i) expected[4 + i] = a[2 + i];
  expected[1024] = expected[1025] = 0xffffffffu;
  EXPECT_EQ(Download(to), expected);
  // A kernel that is given a part writes there.
  const KernelFunction differ = Compile(DifferFunction().value());
  const DeviceMemory part = to.Part(2 * kPartAlignment, kPartAlignment).value();
  const DeviceMemory other = Upload(Words(a.size(), 1)), table = Upload({3, kChunkWords});
  Call(differ, {&from, &other, &table, &part}, {0, 1, 1});
  expected[2048 + 4] = 1;
  EXPECT_EQ(Download(to), expected);
}

// What is freed while a kernel or copy still uses it may be another's at once: in order, all is
// well.
TEST_F(DeviceToolsTest, FreedMemoryIsUsedAgainInOrder) {
  const Words a(1 << 20, 3);
  const DeviceMemory to = Upload(Words(a.size(), 0));
  for (int round = 0; round < 20; ++round) {
    const DeviceMemory from = Upload(a);
    ASSERT_TRUE(to.CopyFrom(from, 0, 0, from.bytes()).ok());
  }
  const DeviceMemory last = DeviceMemory::Allocate(device_, to.bytes()).value();
  ASSERT_TRUE(last.Fill().ok());
  EXPECT_EQ(Download(to), a);
}

}  // namespace
}  // namespace mutatenn
