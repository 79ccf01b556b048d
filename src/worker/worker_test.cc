// The worker's parts that a session does not show: layouts of guarded and plain memory, the choice
// of references under a budget, records in shared pages, conversions.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "device/small_program.h"
#include "worker/guards.h"
#include "worker/isolation.h"
#include "worker/original.h"
#include "worker/plain_memory.h"
#include "worker/progress.h"
#include "worker/references.h"
#include "worker/scratch.h"
#include "worker/tensors.h"

namespace mutatenn {
namespace {

TEST(GuardedBuffer, EndsAtTheUnmappedPageAndStartsAtAMultipleOf64) {
  for (int64_t bytes : {4, 64, 96, 4096, 5000, 100'000}) {
    GuardedBuffer buffer = std::move(GuardedBuffer::Make(bytes)).value();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data() + Aligned(bytes)) % 4096, 0u);
    int64_t offset = 0;
    buffer.Fill(0);
    EXPECT_FALSE(buffer.Damaged(&offset)) << bytes;
    if (Aligned(bytes) % 4096 != 0) {  // else the unmapped page is right there
      EXPECT_TRUE(std::isnan(*reinterpret_cast<float*>(buffer.data() - 4))) << bytes;
    }
    if (bytes % 64 != 0) {
      buffer.data()[bytes + 1] = 1;
      EXPECT_TRUE(buffer.Damaged(&offset));
      EXPECT_EQ(offset, bytes + 1);
    }
  }
}

TEST(PlainMemory, HasAFixedLayoutThatIsEmptyBeforeEachCall) {
  SmallProgram small;
  TypedProgram typed = std::move(MakeTyped(small.Make())).value();
  std::vector<bool> guarded(typed.program.steps.size(), true);
  PlainMemory plain;
  ASSERT_TRUE(plain.Reserve(typed, guarded).ok());
  std::vector<float> a = SmallProgram::Ramp(1, 1), b = SmallProgram::Ramp(2, 2);
  const Step& add = typed.program.steps[2];
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(plain.Fill(typed, add, {a.data(), b.data()}).ok());
    char* output = static_cast<char*>(const_cast<void*>(plain.Output(0)));
    char* start = output - 256;  // two inputs of 96 bytes, each at a multiple of 64
    EXPECT_EQ(std::memcmp(start, a.data(), 96), 0);
    EXPECT_EQ(std::memcmp(start + 128, b.data(), 96), 0);
    for (char* at : {start - (1 << 20), start - 1, start + 96, start + 255, output, output + 128,
                     output + (1 << 20)}) {
      EXPECT_EQ(*at, 0) << at - start;
      *at = 7;  // gone in the next round
    }
    EXPECT_EQ(plain.AllocateWorkspace(100), output + 128);
    EXPECT_EQ(plain.AllocateWorkspace(10), output + 128 + 128);
    plain.FreeWorkspace();
    plain.FreeWorkspace();
    EXPECT_EQ(plain.AllocateWorkspace(1), output + 128);
  }
}

TEST(PlainMemory, CopiesAConstantOnce) {
  SmallProgram small;
  TypedProgram typed = std::move(MakeTyped(small.Make())).value();
  PlainMemory plain;
  ASSERT_TRUE(plain.Reserve(typed, std::vector<bool>(typed.program.steps.size(), true)).ok());
  std::vector<float> a = SmallProgram::Ramp(1, 1), b = SmallProgram::Ramp(2, 2), other = b;
  const Step& add = typed.program.steps[2];
  auto fill = [&](const std::vector<float>& first, const std::vector<bool>& constant) {
    EXPECT_TRUE(plain.Fill(typed, add, {first.data(), b.data()}, constant).ok());
    const char* start = static_cast<const char*>(plain.Output(0)) - 256;
    float firsts[2];
    std::memcpy(&firsts[0], start, sizeof(float));
    std::memcpy(&firsts[1], start + 128, sizeof(float));
    return std::pair(firsts[0], firsts[1]);
  };
  fill(a, {true, false});
  a[0] = 50, b[0] = 60;  // what is called constant is not, so that it shows
  EXPECT_EQ(fill(a, {true, false}), std::pair(1.0F, 60.0F));
  EXPECT_EQ(fill(other, {true, false}).first, other[0]) << "another constant";
  EXPECT_EQ(fill(a, {}).first, 50) << "nothing is constant";
  ASSERT_TRUE(plain.Fill(typed, typed.program.steps[1], {other.data(), other.data()}).ok());
  EXPECT_EQ(fill(a, {true, false}).first, 50) << "another step in between";
}

TEST(References, KeepsWhatTheBudgetAllows) {
  SmallProgram small;
  auto original = std::move(Original::Load(small.Request())).value();
  auto kept = [&](int64_t budget) {
    std::vector<bool> chosen = ChooseKept(*original, 2, budget);
    std::string names;
    for (size_t v = 0; v < chosen.size(); ++v)
      if (chosen[v]) names += original->program().values[v].name;
    return names;
  };
  EXPECT_EQ(kept(1 << 20), "xabcdy");
  EXPECT_EQ(kept(2 * 6 * 128), "xabcdy");
  EXPECT_EQ(kept(2 * 6 * 128 - 1), "xabdy");  // every second cut: behind b (a, b) and d
  EXPECT_EQ(kept(2 * 5 * 128 - 1), "xacy");   // every third: behind c
  EXPECT_EQ(kept(2 * 4 * 128 - 1), "xdy");    // every fourth: behind d
  EXPECT_EQ(kept(0), "xy");
}

TEST(References, KeepsLessWhereFewRunsNeedIt) {
  SmallProgram small;
  LoadRequest request = small.Request();
  auto original = std::move(Original::Load(request)).value();
  auto keeping = [&](double runs_per_image, int64_t budget) {
    request.images = 4;
    request.runs_per_image = runs_per_image;
    request.memory_budget_bytes = budget;
    return ChooseKeeping(*original, request).value();
  };
  constexpr int kMany = 1 << 20;
  const std::vector<bool> all = ChooseKept(*original, 1, kMany), few = ChooseKept(*original, 1, 0);
  EXPECT_EQ(keeping(0, kMany).kept, all) << "nothing is known of the runs";
  EXPECT_EQ(keeping(1e9, kMany).kept, all) << "what runs make again costs more than memory";
  const Keeping fewest = keeping(1e-9, kMany);
  EXPECT_EQ(fewest.kept, few);
  EXPECT_EQ(fewest.bytes_per_image, 2 * 128) << "the input and the output";
  EXPECT_EQ(keeping(1e9, 0).kept, all) << "chunk by chunk is cheaper than to make everything again";
  EXPECT_EQ(ChooseKept(*original, 4, kMany, few), few);
  EXPECT_EQ(ChooseKept(*original, 4, 4 * 6 * 128 - 1, all), ChooseKept(*original, 4, 4 * 5 * 128));
}

TEST(References, SeeADifferenceInWhatIsNotKept) {
  SmallProgram small;
  auto original = std::move(Original::Load(small.Request())).value();
  auto references = [&](int64_t budget) {
    return References::Run(*original, small.Images(1), budget, [] { return true; }).value();
  };
  const References all = references(1 << 20), few = references(0);
  const int b = original->program().FindValue("b");
  ASSERT_EQ(few.Value(0, b), nullptr);
  std::string data(static_cast<const char*>(all.Value(0, b)),
                   static_cast<size_t>(original->typed().Bytes(b)));
  EXPECT_FALSE(few.SurelyDiffers(0, b, data.data()));
  data[0] ^= 1;
  EXPECT_TRUE(few.SurelyDiffers(0, b, data.data()));
  EXPECT_FALSE(all.SurelyDiffers(0, b, data.data())) << "what is kept is compared whole";
}

TEST(Scratch, LivingValuesNeverShareMemory) {
  SmallProgram small;
  auto original = std::move(Original::Load(small.Request())).value();
  const Program& program = original->program();
  auto plan = [&](const std::string& elsewhere) {
    std::vector<bool> apart(program.values.size());
    for (char name : elsewhere) apart[program.FindValue(std::string(1, name))] = true;
    return PlanScratch(original->typed(), apart);
  };
  auto offset = [&](const Scratch& scratch, const char* name) {
    return scratch.offsets[program.FindValue(name)];
  };
  const Scratch all = plan("x");
  EXPECT_EQ(offset(all, "x"), -1);
  EXPECT_EQ(offset(all, "w2"), -1);  // a constant
  EXPECT_EQ(offset(all, "a"), 0);
  EXPECT_EQ(offset(all, "b"), 128);
  EXPECT_EQ(offset(all, "c"), 256);
  EXPECT_EQ(offset(all, "d"), 128);  // b was read by c only; a and c are read by d itself
  EXPECT_EQ(offset(all, "y"), 0);
  EXPECT_EQ(all.bytes, 3 * 128);
  const Scratch some = plan("xay");
  EXPECT_EQ(offset(some, "a"), -1);
  EXPECT_EQ(offset(some, "b"), 0);
  EXPECT_EQ(offset(some, "c"), 128);
  EXPECT_EQ(offset(some, "d"), 0);
  EXPECT_EQ(some.bytes, 2 * 128);
}

TEST(SharedRegion, ARecordCountsOnlyWhenItIsWhole) {
  SharedRegion region = std::move(SharedRegion::Make(2, 3, 4)).value();
  region.Append({.image = 5, .seconds = 0.5}, {{7, 1.5}, {8, 0.5}}, {"abcd", 4});
  Record record;
  std::vector<Ranked> top;
  std::vector<char> extra;
  ASSERT_EQ(region.completed(), 1);
  ASSERT_TRUE(region.Read(0, &record, &top, &extra));
  EXPECT_EQ(record.image, 5);
  EXPECT_EQ(top, (std::vector<Ranked>{{7, 1.5}, {8, 0.5}}));
  EXPECT_EQ(std::string(extra.begin(), extra.end()), "abcd");
  EXPECT_FALSE(region.Read(1, &record, &top));
  reinterpret_cast<char*>(&region.progress())[1024 + 20] ^= 1;  // in the first record
  EXPECT_FALSE(region.Read(0, &record, &top));
}

TEST(Tensors, ConvertsAndCompares) {
  uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00};
  std::vector<float> floats = std::move(ToFloats(halves, {{5}, "float16"})).value();
  EXPECT_THAT(std::vector<float>(floats.begin(), floats.end() - 1),
              ::testing::ElementsAre(1.0f, -2.0f, std::ldexp(1.0f, -24), INFINITY));
  EXPECT_TRUE(std::isnan(floats[4]));
  int64_t integers[] = {-3, 1LL << 40};
  EXPECT_THAT(std::move(ToFloats(integers, {{2}, "int64"})).value(),
              ::testing::ElementsAre(-3.0f, 1099511627776.0f));
  EXPECT_FALSE(ToFloats(integers, {{2}, "handle"}).ok());
  OutputDifference difference;
  CompareOutputs({1, NAN, 3}, {1, NAN, 5}, &difference);
  EXPECT_FALSE(difference.nonfinite);
  EXPECT_EQ(difference.max_abs, 2);
  CompareOutputs({INFINITY}, {1}, &difference);
  EXPECT_TRUE(difference.nonfinite);
}

TEST(ForkChild, OutputIsCutAndNeverBlocks) {
  SharedRegion region = std::move(SharedRegion::Make(1, 1, 0)).value();
  Child child = std::move(ForkChild(region, 100, [] {
                  std::string line(1000, 'x');
                  for (int i = 0; i < 10'000; ++i) (void)!::write(1, line.data(), line.size());
                  EndChild(Outcome::kFinished);
                })).value();
  child.Wait();
  EXPECT_EQ(WEXITSTATUS(child.Reap()), kExitBase + static_cast<int>(Outcome::kFinished));
  EXPECT_EQ(child.Output(), std::string(100, 'x'));
}

TEST(ForkChild, ItsGroupAndFilesAreItsOwn) {
  SharedRegion region = std::move(SharedRegion::Make(1, 1, 0)).value();
  Child child = std::move(ForkChild(region, 100, [] {
                  bool alone = ::getpgrp() == ::getpid() && ::lseek(3, 0, SEEK_CUR) < 0 &&
                               ::fcntl(3, F_GETFD) < 0;
                  EndChild(Outcome::kToolError, alone ? "alone" : "not alone");
                })).value();
  child.Wait();
  child.Reap();
  EXPECT_STREQ(region.progress().text, "alone");
}

TEST(CpuBudget, EndsAChildThatUsesItUp) {
  SharedRegion region = std::move(SharedRegion::Make(1, 1, 0)).value();
  Child child = std::move(ForkChild(region, 100, [] {
                  CpuBudget budget;
                  budget.Reset(0.05);
                  for (;;) {  // in many small pieces, as steps are
                    budget.Start();
                    volatile int count = 0;
                    while (count < 100'000) count = count + 1;
                    budget.Stop();
                  }
                })).value();
  child.Wait();
  int status = child.Reap();
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGPROF);
}

}  // namespace
}  // namespace mutatenn
