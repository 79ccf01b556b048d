// The example's network at full size: minutes, so they run by `make test-slow` only.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/onnx_mutants.h"

namespace mutatenn {
namespace {

TEST(Example, TwoHundredMutantsWhateverTheJobsAndTheMemory) {
  Scratch scratch;
  Json first = RunAndReport(
      MakeExampleCampaign(scratch.path, {{"jobs", 2}, {"memory_budget_mb", 2048}}), scratch / "a");
  Json second = RunAndReport(
      MakeExampleCampaign(scratch.path, {{"jobs", 1}, {"memory_budget_mb", 64}}), scratch / "b");
  ASSERT_GE(first["models"][0]["mutants"].size(), 200u);
  EXPECT_EQ(first["models"], second["models"]);
}

// With the example's four images a float16 rounding changes no label; among a hundred some margins
// are small enough. One device: this is about operators.
TEST(Example, EveryOperatorKillsAndSurvives) {
  if (SharedDirectory().empty()) GTEST_SKIP() << "../shared is absent";
  std::map<std::string, std::set<std::string>> verdicts;
  auto collect = [&](const Json& report) {
    for (const Json& mutant : report["models"][0]["mutants"])
      for (const Json& device : mutant["devices"])
        verdicts[mutant["operator"].get<std::string>()].insert(
            device["verdict"].get<std::string>());
  };
  Scratch scratch;
  collect(RunAndReport(MakeExampleCampaign(scratch.path, Json::object()), scratch / "four"));
  const std::string images = (SharedDirectory() / "images/imagenet-100").string();
  collect(RunAndReport(
      MakeExampleCampaign(
          scratch.path,
          {{"operators", Json::array({{{"id", "code.store_type"}}})},
           {"devices",
            Json::array({{{"name", "host"}, {"target", {{"kind", "llvm"}, {"mcpu", "host"}}}}})},
           {"images", {{"path", images}, {"truth", images + "/labels.tsv"}}}}),
      scratch / "hundred"));
  EXPECT_EQ(verdicts.size(), 7u);
  for (const auto& [op, seen] : verdicts) {
    EXPECT_TRUE(seen.count("killed")) << op << " never kills";
    EXPECT_TRUE(seen.count("survived")) << op << " never survives";
  }
}

TEST(Example, SixtyMutantsAsTheSlowOracleGives) {
  Scratch scratch;
  const std::string campaign = MakeExampleCampaign(scratch.path, {{"max_mutants", 60}});
  Json fast = RunAndReport(campaign, scratch / "fast");
  Json slow = RunAndReport(campaign, scratch / "slow", {"--slow-oracle"});
  const Json &a = fast["models"][0]["mutants"], &b = slow["models"][0]["mutants"];
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    for (const auto& [device, result] : a[i]["devices"].items())
      EXPECT_EQ(result["verdict"], b[i]["devices"][device]["verdict"])
          << a[i]["place"] << " on " << device;
}

// Point by point against the same edit of the ONNX file, run by onnxruntime.
TEST(GraphOperators, EveryPointOfTwoSmallNetworks) {
  Scratch scratch;
  const Json compared = CompareWithOnnx(MakeTwoNetworks(scratch.path, {{"max_mutants", nullptr}}),
                                        scratch / "out", {});
  EXPECT_GE(compared["compared"].size(), 24u) << "operators";
}

class GraphOperatorsOf : public testing::TestWithParam<const char*> {};

TEST_P(GraphOperatorsOf, ComputeWhatTheEditedModelComputes) {
  if (SharedDirectory().empty()) GTEST_SKIP() << "../shared is absent";
  Scratch scratch;
  const std::string campaign = MakeExampleCampaign(
      scratch.path,
      {{"models", Json::array({FindSharedModel(GetParam()).configuration})},
       {"devices",
        Json::array({{{"name", "host"}, {"target", {{"kind", "llvm"}, {"mcpu", "host"}}}}})},
       {"operators", GraphOperators()},
       {"matrix", "full"},
       {"top_k", 1000},
       {"max_mutants", 300}});
  CompareWithOnnx(campaign, scratch / "out", {});
}
INSTANTIATE_TEST_SUITE_P(All, GraphOperatorsOf,
                         testing::Values("efficientnet_lite0.onnx", "mobilenetv2.onnx",
                                         "squeezenet1.1.onnx"),
                         [](const auto& info) { return std::string(info.param).substr(0, 6); });

class Accuracy : public testing::TestWithParam<const char*> {};

TEST_P(Accuracy, IsTheManifests) {
  if (SharedDirectory().empty()) GTEST_SKIP() << "../shared is absent";
  Scratch scratch;
  const SharedModel model = FindSharedModel(GetParam());
  const std::string images = (SharedDirectory() / "images/imagenet-100").string();
  const std::string campaign = MakeExampleCampaign(
      scratch.path,
      {{"models", Json::array({model.configuration})},
       {"images", {{"path", images}, {"truth", images + "/labels.tsv"}}},
       {"operators", Json::array({{{"id", "graph.activation"}, {"to", {"sigmoid"}}}})},
       {"max_mutants", 1}});
  Json report = RunAndReport(campaign, scratch / "out");
  std::map<std::string, int> right;
  for (const Json& original : report["models"][0]["original"])
    right[original["device"].get<std::string>()] += original["correct"].get<bool>();
  ASSERT_EQ(right.size(), 2u);
  for (const auto& [device, count] : right) EXPECT_NEAR(count, model.top1 * 100, 1) << device;
}
INSTANTIATE_TEST_SUITE_P(All, Accuracy,
                         testing::Values("efficientnet_lite0.onnx", "mobilenetv2.onnx",
                                         "squeezenet1.1.onnx"),
                         [](const auto& info) { return std::string(info.param).substr(0, 6); });

}  // namespace
}  // namespace mutatenn
