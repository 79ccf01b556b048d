// Every scheduled kernel must compute what its unscheduled form computes. Kernels come from TVM's
// own importer and legaliser (schedule_test_kernels.py); the oracle is the same function built
// unscheduled. MUTATENN_SLOW_TESTS=1 checks all kernels of all networks at all vector widths (some
// minutes).
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <set>

#include "compile/schedule/kernel_check.h"
#include "compile/schedule/rules.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

std::vector<TestKernel> Kernels(const std::string& source) {
  auto kernels = MakeKernels(source);
  EXPECT_TRUE(kernels.ok()) << kernels.error().message;
  return kernels.ok() ? *kernels : std::vector<TestKernel>();
}

const Target& Host() {
  static const Target target = ResolveTarget(R"({"kind": "llvm", "mcpu": "host"})").value();
  return target;
}

// What a kernel's unscheduled form computes, built once for all its scheduled forms.
class Oracle {
 public:
  explicit Oracle(const TestKernel& kernel) : buffers_(kernel.function) {
    auto plain = BuildKernel(kernel.function, Host());
    if (plain.ok()) expected_ = buffers_.Output(*plain);
  }
  // "" or what is wrong.
  std::string Compare(const Node& scheduled, const std::optional<Packing>& packing) const {
    if (!expected_.ok()) return "unscheduled: " + expected_.error().message;
    auto kernel = BuildKernel(scheduled, Host());
    if (!kernel.ok()) return kernel.error().message;
    std::optional<Buffers> packed;
    if (packing) {
      packed.emplace(scheduled);
      if (Status made = buffers_.PackInto(*packed, *packing, Host()); !made.ok())
        return made.error().message;
    }
    auto got = (packed ? *packed : buffers_).Output(*kernel);
    if (!got.ok()) return got.error().message;
    const double excess = Excess(*got, expected_.value());
    return excess <= 1 ? "" : "differs by " + std::to_string(excess) + " times the tolerance";
  }

 private:
  Buffers buffers_;
  Result<std::vector<float>> expected_ = Fail(Code::kInternal, "not built");
};

std::vector<std::string> BlockNames(const Node& function) {
  std::vector<std::string> names;
  Walk(function, [&](const Node& node) {
    if (node.Is(type::kSBlock)) names.push_back(node["name_hint"].Text());
  });
  return names;
}

std::string Origin(std::string name) {
  for (bool cut = true; cut;) {
    cut = false;
    for (const char* suffix : {"_init", "_update", "_local"}) {
      if (!name.ends_with(suffix)) continue;
      name.resize(name.size() - std::strlen(suffix));
      cut = true;
    }
  }
  return name;
}

bool IsConvolution(const TestKernel& kernel) {
  return kernel.name.find("conv2d") != std::string::npos ||
         kernel.name.find("matmul") != std::string::npos;
}

// Tiles for `unit`, checks the rule's name and the names of blocks; compares where an oracle is
// given.
void Check(const TestKernel& kernel, const VectorUnit& unit, const Oracle* oracle) {
  SCOPED_TRACE(kernel.name + " at " + std::to_string(unit.lanes) + " lanes");
  const Node normalized = Normalize(kernel.function).value();
  const Result<Scheduled> scheduled = Tile(normalized, kernel.constants, unit);
  ASSERT_TRUE(scheduled.ok()) << scheduled.error().message;
  SCOPED_TRACE(scheduled->rule + " " + scheduled->why);
  EXPECT_FALSE(IsConvolution(kernel) && scheduled->rule == "none");
  if (scheduled->rule == "none") {
    EXPECT_FALSE(scheduled->why.empty());
    EXPECT_TRUE(scheduled->function.Same(normalized));
  }
  const std::vector<std::string> origins = BlockNames(normalized);
  const std::set<std::string> known(origins.begin(), origins.end());
  // A copy of an input has no origin: nothing in it is mutated.
  for (const std::string& name : BlockNames(scheduled->function))
    EXPECT_TRUE(known.contains(Origin(name)) || name.ends_with("_global"))
        << "block " << name << " has no origin";
  if (oracle == nullptr) return;
  EXPECT_EQ(oracle->Compare(scheduled->function, scheduled->packing), "");
}

class ScheduleTest : public testing::Test {
 protected:
  void SetUp() override {
    Status loaded = LoadCompiler();
    if (!loaded.ok()) GTEST_SKIP() << loaded.error().message;
  }
};

TEST_F(ScheduleTest, GeneratedKernelsAgreeAtEveryWidth) {
  const std::vector<TestKernel> kernels = Kernels("--generated");
  ASSERT_GE(kernels.size(), 20u);
  for (const TestKernel& kernel : kernels) {
    const Oracle oracle(kernel);
    for (const VectorUnit& unit : kUnits) Check(kernel, unit, &oracle);
  }
}

// Also the rules that the dispatch would not choose, for a weaker rule follows one that gives up.
TEST_F(ScheduleTest, EachRuleIsRightOrGivesUp) {
  int applied[3] = {};
  for (const TestKernel& kernel : Kernels("--generated")) {
    const Node normalized = Normalize(kernel.function).value();
    const Oracle oracle(kernel);
    for (int rule = 0; rule < 3; ++rule) {
      SCOPED_TRACE(kernel.name + " rule " + std::to_string(rule));
      const VectorUnit& unit = kUnits[rule];
      std::optional<Packing> packing;
      Result<Node> made = Guard("", [&] {
        Schedule schedule(normalized);
        const Anatomy anatomy = Dissect(schedule);
        if (anatomy.reductions.size() != 1) GiveUp("no anchor");
        if (rule == 2) {
          ScheduleReduce(schedule, anatomy, unit);
        } else {
          const Contraction contraction =
              ContractionOf(schedule, anatomy.reductions[0], normalized, kernel.constants);
          packing = (rule == 0 ? ScheduleContract : ScheduleContractRows)(schedule, anatomy,
                                                                          contraction, unit);
        }
        const Node function = SplitPads(schedule.Function());
        return rule == 2 ? WidenRows(function) : OverlapPieces(function);
      });
      if (!made.ok()) continue;
      ++applied[rule];
      EXPECT_EQ(oracle.Compare(*made, packing), "");
    }
  }
  for (int count : applied) EXPECT_GE(count, 10);
}

TEST_F(ScheduleTest, NormalizedIsPadAnchorEpilogue) {
  int pads = 0;
  for (const TestKernel& kernel : Kernels("--generated")) {
    SCOPED_TRACE(kernel.name);
    const Node normalized = Normalize(kernel.function).value();
    const Anatomy anatomy = Dissect(Schedule(normalized));
    if (anatomy.reductions.size() > 1) continue;  // softmax stays as it is
    EXPECT_LE(anatomy.before.size(), 1u);
    EXPECT_LE(anatomy.after.size(), 1u);
    pads += static_cast<int>(anatomy.before.size());
    EXPECT_TRUE(StructuralEqual(Normalize(normalized).value(), normalized)) << "not idempotent";
  }
  EXPECT_GE(pads, 5);
}

TEST_F(ScheduleTest, SoftmaxIsLeftAlone) {
  for (const TestKernel& kernel : Kernels("--generated")) {
    if (!kernel.name.starts_with("softmax")) continue;
    EXPECT_TRUE(Normalize(kernel.function)->Same(kernel.function));
    const Scheduled scheduled = Tile(kernel.function, {}, kUnits[0]).value();
    EXPECT_EQ(scheduled.rule, "none");
    EXPECT_NE(scheduled.why.find("several reductions"), std::string::npos) << scheduled.why;
    return;
  }
  FAIL() << "no softmax among the generated kernels";
}

TEST_F(ScheduleTest, ChoosesByShape) {
  // Name of a generated kernel, then the rule at 16, 8 and 4 lanes.
  const std::tuple<std::string, std::string, std::string, std::string> expected[] = {
      {"16x32x28x28x3x1x1", "contract", "contract", "contract"},      // channels fill vectors
      {"12x24x14x14x1x1x4", "contract_x", "contract_x", "contract"},  // 6 channels a group
      {"5x7x11x11x5x1x1", "contract_x", "contract_x", "contract_x"},  // 7 channels
      {"8x16x7x7x1x1x1", "contract", "contract_x", "contract"},   // little reduced: 7 of 8 in a row
      {"48x330x5x13x1x1x1", "contract", "contract", "contract"},  // 330 channels are nearly 336
      {"3x16x9x45x3x2x1", "contract_x", "contract_x", "contract_x"},  // rows of 23: 7 to 16
      {"16x16x13x13x3x1x16", "reduce", "reduce", "reduce"},           // depthwise
      {"matmul:", "contract", "contract", "contract"},
      {"matmul_batch", "reduce", "reduce", "reduce"},
      {"max_pool", "reduce", "reduce", "reduce"},
      {"concatenate", "elementwise", "elementwise", "elementwise"},
  };
  const std::vector<TestKernel> kernels = Kernels("--generated");
  for (const auto& [name, wide, middle, narrow] : expected) {
    int found = 0;
    for (const TestKernel& kernel : kernels) {
      if (!kernel.name.starts_with(name)) continue;
      ++found;
      const Node normalized = Normalize(kernel.function).value();
      EXPECT_EQ(Tile(normalized, kernel.constants, kUnits[0])->rule, wide) << kernel.name;
      EXPECT_EQ(Tile(normalized, kernel.constants, kUnits[1])->rule, middle) << kernel.name;
      EXPECT_EQ(Tile(normalized, kernel.constants, kUnits[2])->rule, narrow) << kernel.name;
    }
    EXPECT_EQ(found, 1) << name;
  }
}

TEST_F(ScheduleTest, VectorUnitFollowsTheCpu) {
  const std::tuple<std::string, int, int> expected[] = {
      {"x86-64", 4, 16}, {"x86-64-v3", 8, 16}, {"x86-64-v4", 16, 32}, {"znver4", 16, 32}};
  for (const auto& [cpu, lanes, registers] : expected) {
    const Target target = ResolveTarget(R"({"kind": "llvm", "mcpu": ")" + cpu + "\"}").value();
    const VectorUnit unit = VectorUnitOf(target.node).value();
    EXPECT_EQ(unit.lanes, lanes) << cpu;
    EXPECT_EQ(unit.registers, registers) << cpu;
  }
}

// The tile sizes that the rules follow from; numbers by hand.
TEST(ScheduleArithmeticTest, Lanes) {
  const VectorUnit avx512 = {16, 32}, avx2 = {8, 16}, sse = {4, 16};
  EXPECT_EQ(RowLanes(112, avx512, Lifetime::kLoop), 16);
  EXPECT_EQ(RowLanes(28, avx512, Lifetime::kLoop), 14);
  EXPECT_EQ(RowLanes(7, avx512, Lifetime::kLoop), 7);
  EXPECT_EQ(RowLanes(56, avx512, Lifetime::kLoop), 14);
  EXPECT_EQ(RowLanes(56, avx512, Lifetime::kStraight), 8);
  EXPECT_EQ(RowLanes(112, avx2, Lifetime::kLoop), 8);
  EXPECT_EQ(RowLanes(28, sse, Lifetime::kLoop), 4);
  // Thirteen lanes are two registers at 8: not across a loop.
  EXPECT_EQ(RowLanes(13, avx2, Lifetime::kLoop), 1);
  EXPECT_EQ(RowLanes(13, avx2, Lifetime::kStraight), 13);
  EXPECT_EQ(RegistersOf(13, avx2), 2);
  EXPECT_EQ(LargestDivisor(30, 8), 6);
  EXPECT_EQ(Divisors(12), (std::vector<int64_t>{1, 2, 3, 4, 6, 12}));
}

// Every kernel gets its rule; every fourth is run, each at another width than the one before.
TEST_F(ScheduleTest, NetworkKernelsAgree) {
  constexpr size_t kStep = 4;
  for (const char* network : kNetworks) {
    if (!std::filesystem::exists(PathOf(network))) GTEST_SKIP() << "no model " << PathOf(network);
    const std::vector<TestKernel> kernels = Kernels(PathOf(network));
    ASSERT_GE(kernels.size(), 20u);
    for (size_t i = 0; i < kernels.size(); ++i) {
      std::optional<Oracle> oracle;
      if (i % kStep == 0) oracle.emplace(kernels[i]);
      Check(kernels[i], kUnits[i / kStep % std::size(kUnits)], oracle ? &*oracle : nullptr);
    }
  }
}

// The distinct shapes of the eight networks of the benchmark: some of them, each at another width
// than the one before.
TEST_F(ScheduleTest, BenchmarkShapesAgree) {
  const std::vector<TestKernel> kernels = Kernels("--shapes 9");
  ASSERT_GE(kernels.size(), 25u);
  for (size_t i = 0; i < kernels.size(); ++i) {
    const Oracle oracle(kernels[i]);
    Check(kernels[i], kUnits[i % std::size(kUnits)], &oracle);
  }
}

TEST_F(ScheduleTest, SlowAllBenchmarkShapesAgreeAtEveryWidth) {
  if (Environment("MUTATENN_SLOW_TESTS", "") != "1") GTEST_SKIP() << "set MUTATENN_SLOW_TESTS=1";
  const std::vector<TestKernel> kernels = Kernels("--shapes");
  ASSERT_GE(kernels.size(), 240u);
  for (const TestKernel& kernel : kernels) {
    const Oracle oracle(kernel);
    for (const VectorUnit& unit : kUnits) Check(kernel, unit, &oracle);
  }
}

TEST_F(ScheduleTest, SlowAllNetworkKernelsAgreeAtEveryWidth) {
  if (Environment("MUTATENN_SLOW_TESTS", "") != "1") GTEST_SKIP() << "set MUTATENN_SLOW_TESTS=1";
  for (const char* network : kNetworks) {
    if (!std::filesystem::exists(PathOf(network))) GTEST_SKIP() << "no model " << PathOf(network);
    for (const TestKernel& kernel : Kernels(PathOf(network))) {
      const Oracle oracle(kernel);
      for (const VectorUnit& unit : kUnits) Check(kernel, unit, &oracle);
    }
  }
}

}  // namespace
}  // namespace mutatenn
