// The programs we compile compute what onnxruntime computes.
#include "support/agreement.h"

namespace mutatenn {
namespace {

Json OneMutant(int classes) {
  return {{"operators", Json::array({{{"id", "graph.arithmetic"}, {"to", {"subtract"}}},
                                     {{"id", "graph.activation"}, {"to", {"sigmoid"}}}})},
          {"max_mutants", 1},
          {"top_k", classes}};
}

TEST(Agreement, TinyNetworkFusedAndScheduled) {
  for (int level : {2, 3}) {
    Scratch scratch;
    Json changes = OneMutant(10);
    changes["level"] = level;
    ExpectAgreement(MakeTinyCampaign(scratch.path, changes), scratch / "out", 10);
  }
}

TEST(Agreement, TheExamplesNetwork) {
  Scratch scratch;
  ExpectAgreement(MakeExampleCampaign(scratch.path, OneMutant(1000)), scratch / "out", 1000);
}

class SharedNetwork : public testing::TestWithParam<const char*> {};

TEST_P(SharedNetwork, AgreesOnBothTargets) {
  if (SharedDirectory().empty()) GTEST_SKIP() << "../shared is absent";
  Scratch scratch;
  Json changes = OneMutant(1000);
  changes["models"] = Json::array({FindSharedModel(GetParam()).configuration});
  ExpectAgreement(MakeExampleCampaign(scratch.path, changes), scratch / "out", 1000);
}
INSTANTIATE_TEST_SUITE_P(All, SharedNetwork,
                         testing::Values("mobilenetv2.onnx", "squeezenet1.1.onnx"),
                         [](const auto& info) { return std::string(info.param).substr(0, 6); });

}  // namespace
}  // namespace mutatenn
