// dlight's schedules by trace, for kernels as networks have them: every kernel gets one, code
// operators are found at all of their points and scheduled with it, and what comes out lowers and
// becomes device source, for OpenCL and CUDA, with no device. MUTATENN_SLOW_TESTS=1 takes the real
// networks too and lowers every mutant.
#include "compile/schedule/threads.h"

#include <gtest/gtest.h>

#include <map>

#include "compile/device_code.h"
#include "compile/nvrtc.h"
#include "compile/schedule/kernel_check.h"
#include "model/model.h"
#include "mutation/subject.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

class ThreadsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ::setenv("MUTATENN_PYTHONPATH", (Environment("MUTATENN_SOURCE_DIR", ".") + "/python").c_str(),
             1);
    ASSERT_TRUE(LoadCompiler().ok());
    auto frontend = StartFrontend("");
    ASSERT_TRUE(frontend.ok()) << frontend.error().message;
    frontend_ = frontend->release();
  }
  static void TearDownTestSuite() {
    delete frontend_;
    frontend_ = nullptr;
  }

  static std::map<std::string, std::string> TracesOf(const std::vector<TestKernel>& kernels,
                                                     const std::string& target) {
    std::vector<std::pair<std::string, Node>> functions;
    for (const TestKernel& kernel : kernels)
      functions.emplace_back(kernel.name, Normalize(kernel.function).value());
    auto traces = frontend_->Schedule(ToJsonText(MakeModule(functions)), target);
    EXPECT_TRUE(traces.ok()) << traces.error().message;
    return traces.ok() ? *traces : std::map<std::string, std::string>();
  }

  static Frontend* frontend_;
};
Frontend* ThreadsTest::frontend_ = nullptr;

std::vector<std::string> Sources() {
  std::vector<std::string> sources = {"--generated"};
  if (Environment("MUTATENN_SLOW_TESTS", "") != "1") return sources;
  for (const char* network : kNetworks)
    if (std::filesystem::exists(PathOf(network))) sources.push_back(PathOf(network));
  return sources;
}

constexpr const char* kTargets[] = {R"({"kind":"opencl"})", R"({"arch":"sm_90","kind":"cuda"})"};

TEST_F(ThreadsTest, DlightTakesEveryKernelAndItsTraceIsReplayed) {
  for (const std::string& source : Sources()) {
    auto made_kernels = MakeKernels(source);
    ASSERT_TRUE(made_kernels.ok()) << made_kernels.error().message;
    const std::vector<TestKernel>& kernels = *made_kernels;
    for (const char* text : kTargets) {
      const Target target = ResolveTarget(text).value();
      const auto traces = TracesOf(kernels, text);
      int number = 0;
      for (const TestKernel& kernel : kernels) {
        auto made = ScheduleThreads(Normalize(kernel.function).value(), traces.at(kernel.name));
        ASSERT_TRUE(made.ok()) << kernel.name << ": " << made.error().message;
        EXPECT_EQ(made->rule, "dlight") << text << " " << kernel.name << ": " << made->why;
        auto lowered = Lower(made->function, target);
        ASSERT_TRUE(lowered.ok()) << kernel.name << ": " << lowered.error().message;
        EXPECT_NE(Script(*lowered).find("threadIdx.x"), std::string::npos) << kernel.name;
        if (number++ % 4 != 0 || (target.kind == "cuda" && !LoadNvrtc().ok())) continue;
        auto code = EmitDeviceCode(*lowered, kKernelSymbol, target.node);
        ASSERT_TRUE(code.ok()) << kernel.name << ": " << code.error().message;
        EXPECT_NE(code->source.find(target.kind == "cuda" ? "__global__ void" : "__kernel void"),
                  std::string::npos)
            << kernel.name;
        EXPECT_EQ(code->objects.size(), 2u);
      }
    }
  }
}

TEST_F(ThreadsTest, CodeMutantsAreScheduledAsTheirOriginals) {
  const bool slow = Environment("MUTATENN_SLOW_TESTS", "") == "1";
  const Target target = ResolveTarget(R"({"kind":"opencl"})").value();
  int applied = 0, plain = 0, refused = 0, number = 0;
  for (const std::string& source : Sources()) {
    const auto kernels = MakeKernels(source).value();
    const auto traces = TracesOf(kernels, R"({"kind":"opencl"})");
    for (const TestKernel& kernel : kernels) {
      const KernelSubject subject = {"key", kernel.name, {}, Normalize(kernel.function).value()};
      for (const MutationOperator* op : AllOperators()) {
        if (op->level() != Level::kCode) continue;
        const Json parameters = CheckParameters(*op, Json::object()).value();
        const auto points = EnumerateKernels(*op, parameters, {subject}).value();
        for (const MutationPoint& point : points) {
          if (++number % (slow ? 7 : 61) != 0) continue;
          auto mutated = ApplyToKernel(*op, parameters, subject, subject.function, {point});
          ASSERT_TRUE(mutated.ok()) << op->id << ": " << mutated.error().message;
          auto made = ScheduleThreads(*mutated, traces.at(kernel.name));
          ASSERT_TRUE(made.ok()) << kernel.name << " " << op->id << ": " << made.error().message;
          auto lowered = Lower(made->function, target);
          ++applied;
          if (!lowered.ok()) {
            // What no target lowers: a bound of float32 as a literal of float16, for instance.
            ++refused;
            EXPECT_EQ(lowered.error().code, Code::kTvm) << lowered.error().message;
          }
          if (made->rule != "dlight") {
            ++plain;
            std::printf("plain: %s in %s: %s\n", op->id.c_str(), kernel.name.c_str(),
                        made->why.c_str());
          }
        }
      }
    }
  }
  EXPECT_GT(applied, 30);
  EXPECT_LE(refused * 30, applied) << "too many are stillborn";
  EXPECT_LE(plain * 10, applied) << "more than a tenth of the mutants lose dlight's schedule";
}

// A function that no rule takes, and one that a recorded schedule does not fit.
TEST_F(ThreadsTest, WhatDlightCannotScheduleGetsPlainThreads) {
  const auto kernels = MakeKernels("--generated").value();
  const Target target = ResolveTarget(R"({"kind":"opencl"})").value();
  const Node function = Normalize(kernels.front().function).value();
  for (const std::string& trace : {std::string(), std::string(R"({"root_index":0,"nodes":[]})")}) {
    auto made = ScheduleThreads(function, trace);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made->rule, "plain");
    EXPECT_NE(made->why, "");
    EXPECT_TRUE(Lower(made->function, target).ok());
  }
}

}  // namespace
}  // namespace mutatenn
