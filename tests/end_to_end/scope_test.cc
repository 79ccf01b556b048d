// A code mutation of one step, of a kernel that three layers share: only that layer changes, and
// it computes what onnxruntime computes of the network edited there. Mutants that run the same code
// are run once.
#include "support/fates.h"

namespace mutatenn {
namespace {

struct Twins {
  Twins() {
    campaign = MakeTinyCampaign(scratch.path, Changes());
    const auto python = Python((SourceDirectory() / "tests/support/make_twins.py").string(),
                               {scratch.path.string()});
    EXPECT_EQ(python.status, 0) << python.err;
    auto parsed = ParseJson(python.out, "onnxruntime");
    EXPECT_TRUE(parsed.ok()) << python.out;
    if (parsed.ok()) expected = *parsed;
  }
  Json Changes() const {
    Json models = LoadJson(MakeTinyCampaign(scratch.path))["models"];
    models[0]["path"] = "twins.onnx";
    return {
        {"models", models},
        {"matrix", "full"},
        {"max_mutants", 0},
        {"operators", Json::array({{{"id", "code.store_value"}, {"value", 1.0}, {"scope", "step"}},
                                   {{"id", "code.store_value"}, {"value", 1.0}}})}};
  }
  Scratch scratch;
  std::string campaign;
  Json expected;  // "relu1": {image: outputs}, ...
};

TEST(Scope, AStepsMutantChangesItsStepAlone) {
  Twins twins;
  const std::string out = twins.scratch / "out", stats = twins.scratch / "stats.json";
  const Json report = RunAndReport(twins.campaign, out, {"--stats-json", stats});
  int steps = 0, kernels = 0, same = 0;
  for (const Json& mutant : report["models"][0]["mutants"]) {
    same += !mutant["devices"]["host"]["same_as"].is_null();
    const Json& point = mutant["points"][0];
    if (point["block"] != "compute" || point["layers"][0] == "conv0") continue;
    if (point["layers"].size() == 2) {
      const std::string relu = point["layers"][1];
      ExpectFates(out, mutant["id"], twins.expected.at(relu));
      ++steps;
    } else {
      EXPECT_EQ(point["layers"].size(), 6u);
      ExpectFates(out, mutant["id"], twins.expected.at("all"));
      ++kernels;
    }
  }
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(kernels, 1);
  // Where a kernel has one step, its mutants are the step's: 4 in conv0, 3 in pool, 2 in dense.
  EXPECT_EQ(same, 9);
  EXPECT_EQ(LoadJson(stats)["shared"], 18) << "on two devices";
}

TEST(Scope, IsAsTheSlowOracleGives) {
  Twins twins;
  const Json fast = RunAndReport(twins.campaign, twins.scratch / "fast");
  const Json slow = RunAndReport(twins.campaign, twins.scratch / "slow", {"--slow-oracle"});
  const Json &quick = fast["models"][0]["mutants"], &careful = slow["models"][0]["mutants"];
  ASSERT_EQ(quick.size(), careful.size());
  for (size_t i = 0; i < quick.size(); ++i) {
    ASSERT_EQ(quick[i]["id"], careful[i]["id"]);
    for (const auto& [device, result] : quick[i]["devices"].items())
      for (const char* key : {"verdict", "images_differing", "first_diverging_layer", "same_as"})
        EXPECT_EQ(result[key], careful[i]["devices"][device][key])
            << key << " of " << quick[i]["place"] << " on " << device;
  }
}

}  // namespace
}  // namespace mutatenn
