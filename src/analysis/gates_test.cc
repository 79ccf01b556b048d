// Gates on the hand-written campaign: base 3 of 4, host 2 of 4, any device 3 of 4.
#include "analysis/gates.h"

#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"

namespace mutatenn {
namespace {

TEST(Gates, AreRead) {
  EXPECT_EQ(ParseScoreGate("0.8").value().limit, 0.8);
  Gate gate = ParseScoreGate("layer:block/conv=1:0=0.25").value();
  EXPECT_EQ(gate.of, Gate::Of::kLayer);
  EXPECT_EQ(gate.name, "block/conv=1:0");
  EXPECT_EQ(gate.limit, 0.25);
  for (const char* wrong : {"", "x", "1.5", "-1", "80", "nan", "layer:a", "layer:=1", "row:a=1"})
    EXPECT_FALSE(ParseScoreGate(wrong).ok()) << wrong;
}

TEST(Gates, GoByTheLowerBound) {
  SyntheticCampaign campaign(SyntheticCampaign::Matrix::kFull);
  CampaignView view = ReadCampaign(campaign.store()).value();
  auto check = [&](const std::string& text) {
    return CheckGates(view, {ParseScoreGate(text).value()}).at(0);
  };
  // 3 of 4: Wilson from 0.3006; device base, where the sample of graph mutants counts more.
  EXPECT_TRUE(check("operator:code.lt_to_le=0.20").passed);
  EXPECT_FALSE(check("operator:code.lt_to_le=0.21").passed);  // 2 of 3: 0.2077
  EXPECT_TRUE(check("device:host=0.05").passed);
  EXPECT_FALSE(check("device:host=0.5").passed);
  EXPECT_TRUE(check("class:3=0.2").passed == false);  // on host no image of class 3 kills
  EXPECT_EQ(check("layer:conv0=0").text,
            "Net, score of layer conv0: not measured (it has no mutants)");
  EXPECT_FALSE(check("device:gpu=0").passed);
  EXPECT_FALSE(check("class:77=0").passed);
  // k1, s1, t1 disagree, x1 does not.
  Gate gate{Gate::Of::kDisagreement, "", 0.75};
  EXPECT_TRUE(CheckGates(view, {gate})[0].passed);
  gate.limit = 0.74;
  GateResult failed = CheckGates(view, {gate})[0];
  EXPECT_FALSE(failed.passed);
  EXPECT_EQ(failed.text, "Net, disagreement of devices: 0.7500 (3 of 4 mutants), 0.74 is accepted");
}

}  // namespace
}  // namespace mutatenn
