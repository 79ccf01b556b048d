// The compiler run in other ways over the tiny network: what is computed is still what onnxruntime
// computes, because none of them may change it; and what a pass is needed for is missed without it.
#include <map>
#include <set>
#include <string>

#include "support/fates.h"

namespace mutatenn {
namespace {

Json Expected(const std::string& campaign) {
  const RunResult python =
      Python((SourceDirectory() / "tests/support/expected_outputs.py").string(), {campaign});
  EXPECT_EQ(python.status, 0) << python.err;
  return ParseJson(python.out, "onnxruntime").value();
}

int Count(const Json& report, const std::string& op, const std::string& verdict) {
  int count = 0;
  for (const Json& mutant : report["models"][0]["mutants"])
    for (const Json& device : mutant["devices"])
      count += mutant["operator"] == op && device["verdict"] == verdict;
  return count;
}

TEST(BuildOperators, LegalOnesComputeTheSame) {
  Scratch scratch;
  const Json operators = Json::parse(R"(["build.fast_math", "build.fusion", "build.opt_level",
      "build.vector_width", {"id": "build.cpu", "to": ["x86-64"]},
      {"id": "build.fusion", "positions": "all"}, {"id": "build.vector_width", "positions": "all"}])");
  const std::string campaign = MakeTinyCampaign(
      scratch.path, {{"operators", operators}, {"matrix", "full"}, {"max_mutants", 0}});
  const Json expected = Expected(campaign);
  const std::string out = scratch / "out";
  const Json report = RunAndReport(campaign, out);
  int ran = 0;
  for (const Json& mutant : report["models"][0]["mutants"]) {
    bool both = true;
    for (const auto& [name, device] : mutant["devices"].items()) {
      const std::string verdict = device["verdict"];
      EXPECT_TRUE(verdict == "survived" || verdict == "equivalent" || verdict == "ignored")
          << mutant["operator"] << " " << mutant["points"] << " on " << name << ": " << verdict
          << ", " << device["reason"];
      both = both && verdict == "survived";
    }
    if (!both) continue;
    ExpectFates(out, mutant["id"], expected);
    ++ran;
  }
  EXPECT_GE(ran, 30);
  for (const char* op :
       {"build.fast_math", "build.fusion", "build.opt_level", "build.vector_width"})
    EXPECT_GT(Count(report, op, "survived"), 0) << op;
  EXPECT_EQ(report["models"][0]["compiler_findings"], Json::array());
}

// Without what lowers blocks or vectors nothing compiles; without what starts reductions sums begin
// at whatever lies there.
TEST(BuildOperators, PassesThatAreNeededAreMissed) {
  Scratch scratch;
  const Json operators = Json::parse(R"(["build.pass_dropped", "build.passes_swapped"])");
  const std::string campaign = MakeTinyCampaign(
      scratch.path, {{"operators", operators}, {"matrix", "full"}, {"max_mutants", 0}});
  const Json report = RunAndReport(campaign, scratch / "out");
  std::map<std::string, std::set<std::string>> verdicts;  // of a pass dropped, over all kernels
  for (const Json& mutant : report["models"][0]["mutants"])
    for (const Json& device : mutant["devices"]) {
      EXPECT_NE(device["verdict"], "pending");
      verdicts[mutant["points"][0]["block"]].insert(device["verdict"].get<std::string>());
    }
  using Set = std::set<std::string>;
  EXPECT_EQ(verdicts["without s_tir.transform.LowerOpaqueBlock"], Set{"stillborn"});
  EXPECT_EQ(verdicts["without s_tir.transform.LowerCrossThreadReduction"], Set{"equivalent"})
      << "it is for GPUs";
  EXPECT_TRUE(verdicts["without tirx.transform.StorageRewrite"].count("survived"));
}

TEST(BuildOperators, AreAsTheSlowOracleGives) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(
      scratch.path, {{"operators", {"build"}}, {"matrix", "full"}, {"max_mutants", 40}});
  const Json fast = RunAndReport(campaign, scratch / "fast");
  const Json slow = RunAndReport(campaign, scratch / "slow", {"--slow-oracle"});
  const Json &quick = fast["models"][0]["mutants"], &careful = slow["models"][0]["mutants"];
  ASSERT_EQ(quick.size(), careful.size());
  for (size_t i = 0; i < quick.size(); ++i) {
    ASSERT_EQ(quick[i]["id"], careful[i]["id"]);
    for (const auto& [device, result] : quick[i]["devices"].items())
      for (const char* key : {"verdict", "images_differing", "first_diverging_layer"})
        EXPECT_EQ(result[key], careful[i]["devices"][device][key])
            << key << " of " << quick[i]["place"] << " on " << device;
  }
}

}  // namespace
}  // namespace mutatenn
