// Every code operator at its points in kernels as networks have them, applied after scheduling:
// whatever a rule did to a block (packed, padded, widened, overlapped), the point is found there
// again, and TVM lowers what comes out. MUTATENN_SLOW_TESTS=1 takes every vector width and lowers
// every mutant (minutes).
#include <gtest/gtest.h>

#include <map>

#include "compile/schedule/kernel_check.h"
#include "mutation/subject.h"

namespace mutatenn {
namespace {

// Parameters beside the defaults that make other points.
std::vector<Json> ParametersOf(const MutationOperator& op) {
  std::vector<Json> given = {Json::object()};
  if (op.id == "code.store_type") given.push_back({{"to", "float64"}, {"mode", "reinterpret"}});
  if (op.id == "code.store_value") given.push_back({{"operation", "negated"}});
  if (op.id == "code.threshold") given.push_back({{"side", "left"}, {"operation", "times"}});
  if (op.id == "code.constant") given.push_back({{"to", {"doubled", "halved", "less_one"}}});
  return given;
}

struct Tally {
  int applied = 0;
  std::map<std::string, int> refused;  // by the schedule or by lowering, with the reason
};

// Lowers one mutant of `lowered_share`.
void ApplyAll(const TestKernel& kernel, const VectorUnit& unit, const Target& target,
              size_t lowered_share, std::map<std::string, Tally>* tallies) {
  const KernelSubject subject = {"key", kernel.name, {}, Normalize(kernel.function).value()};
  const Node scheduled = Tile(subject.function, kernel.constants, unit)->function;
  for (const MutationOperator* op : AllOperators()) {
    if (op->level() != Level::kCode) continue;
    Tally& tally = (*tallies)[op->id];
    for (const Json& given : ParametersOf(*op)) {
      const Json parameters = CheckParameters(*op, given).value();
      auto points = EnumerateKernels(*op, parameters, {subject});
      ASSERT_TRUE(points.ok()) << points.error().message;
      for (const MutationPoint& point : *points) {
        auto mutated = ApplyToKernel(*op, parameters, subject, scheduled, {point});
        if (mutated.ok() && tally.applied % lowered_share == 0) mutated = Lower(*mutated, target);
        ++tally.applied;
        if (mutated.ok()) continue;
        const std::string& text = mutated.error().message;
        EXPECT_EQ(mutated.error().code, Code::kTvm)
            << kernel.name << ": " << DumpJson(point.ToJson()) << ": " << text;
        ++tally.refused[text.substr(0, text.find('\n'))];
      }
    }
  }
}

TEST(MutateScheduled, EveryPointOfNetworkKernelsIsFound) {
  const bool slow = Environment("MUTATENN_SLOW_TESTS", "") == "1";
  ASSERT_TRUE(LoadCompiler().ok());
  std::map<std::string, Tally> tallies;
  std::vector<std::string> sources = {"--generated"};
  for (const char* network : kNetworks)
    if (std::filesystem::exists(PathOf(network))) sources.push_back(PathOf(network));
  const Target host = ResolveTarget(R"({"kind": "llvm", "mcpu": "host"})").value();
  size_t number = 0;
  for (const std::string& source : sources) {
    const auto kernels = MakeKernels(source);
    ASSERT_TRUE(kernels.ok()) << kernels.error().message;
    for (const TestKernel& kernel : kernels.value()) {
      ++number;
      for (size_t unit = 0; unit < std::size(kUnits); ++unit)
        if (slow || number % std::size(kUnits) == unit)
          ApplyAll(kernel, kUnits[unit], host, slow ? 1 : 41, &tallies);
    }
  }
  EXPECT_GE(tallies.size(), 17u);
  Tally all;
  for (const auto& [id, tally] : tallies) {
    EXPECT_GT(tally.applied, 0) << id;
    int refused = 0;
    for (const auto& [reason, count] : tally.refused) {
      std::printf("%s: %d refused: %s\n", id.c_str(), count, reason.c_str());
      refused += count;
    }
    EXPECT_LE(refused * 10, tally.applied) << id << ": more than 10 % are stillborn";
    all.applied += tally.applied;
    all.refused["any"] += refused;
  }
  EXPECT_LE(all.refused["any"] * 50, all.applied) << "more than 2 % are stillborn";
}

}  // namespace
}  // namespace mutatenn
