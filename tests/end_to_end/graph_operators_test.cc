// Graph mutants against the same edit made in the ONNX file and run by onnxruntime, score by score.
// tests/slow does the same for whole networks.
#include "support/onnx_mutants.h"

namespace mutatenn {
namespace {

TEST(GraphOperators, ComputeWhatTheEditedModelComputes) {
  Scratch scratch;
  const Json compared =
      CompareWithOnnx(MakeTwoNetworks(scratch.path, {{"max_mutants", 60}}), scratch / "out", {});
  EXPECT_GE(compared["compared"].size(), 22u) << "operators";
}

// The slow oracle rebuilds and reruns everything: also the constants that a mutant brings along.
TEST(GraphOperators, WeightMutantsAreTheSlowOracles) {
  Scratch scratch;
  const std::string campaign =
      MakeTwoNetworks(scratch.path, {{"operators", WeightOperators()}, {"max_mutants", 12}});
  const Json compared = CompareWithOnnx(campaign, scratch / "slow", {"--slow-oracle"});
  EXPECT_EQ(compared["compared"].size(), WeightOperators().size());
  EXPECT_EQ(RunAndReport(campaign, scratch / "fast")["models"],
            Comparable(Report(scratch / "slow"))["models"]);
}

}  // namespace
}  // namespace mutatenn
