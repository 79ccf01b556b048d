// The hand-written campaign, ranked by tables of the user's.
#include "analysis/severity.h"

#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"

namespace mutatenn {
namespace {

using Matrix = SyntheticCampaign::Matrix;

std::string Id(const CampaignView& view, const SilentMutant& silent) {
  return view.models[0].mutants[silent.mutant].stored.id;
}

TEST(Severity, WithoutATableEveryMislabelWeighsOne) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = ReadCampaign(campaign.store()).value();
  const ModelView& model = view.models[0];
  // base: k1 runs on c, a, d, b (a 2 -> 7, d 9 -> 3); s1 four; x1 crashed; t1 nonfinite, two, a
  // timeout; p1 two.
  EXPECT_EQ(CountEffects(model, 0), (std::vector<int>{2 + 4 + 2 + 2, 2, 1 + 2}));
  auto ranked = RankSilent(model, 0, SeverityTable::Of(view, model));
  ASSERT_EQ(ranked.size(), 1u);
  EXPECT_EQ(Id(view, ranked[0]), "k1");
  EXPECT_EQ(ranked[0].images, 2);
  EXPECT_EQ(ranked[0].total, 2);
  EXPECT_EQ(model.images[static_cast<size_t>(ranked[0].image)].name, "a.jpg");  // the earlier
}

TEST(Severity, GroupsAndTheFirstRowThatFits) {
  SyntheticCampaign campaign(Matrix::kFull);
  ASSERT_TRUE(
      campaign.store()
          .PutFates({{"Net", "s1", "base", "a.jpg", "ok", SyntheticCampaign::Top(8)}}, std::nullopt)
          .ok());
  ASSERT_TRUE(campaign.store()
                  .SetMeta("config",
                           R"({"devices": [{"name": "base"}, {"name": "host"}],
                       "models": [{"name": "Net"}],
                       "images": {"groups": [{"name": "people", "classes": [2]},
                                             {"name": "signs", "classes": [7, 9]}]},
                       "severity": [{"from": "people", "to": "signs", "weight": 0.5},
                                    {"from": "2", "to": "*", "weight": 50},
                                    {"from": "signs", "to": "3", "weight": 7}]})")
                  .ok());
  CampaignView view = ReadCampaign(campaign.store()).value();
  const ModelView& model = view.models[0];
  SeverityTable table = SeverityTable::Of(view, model);
  EXPECT_EQ(table.Weight(2, 7), 0.5);
  EXPECT_EQ(table.Weight(2, 1), 50);
  EXPECT_EQ(table.Weight(1, 2), 1);
  EXPECT_EQ(table.Name(9), "signs");
  EXPECT_EQ(table.Name(1), "1");
  auto ranked = RankSilent(model, 0, table);
  ASSERT_EQ(ranked.size(), 2u);
  EXPECT_EQ(Id(view, ranked[0]), "s1");  // one image, 2 -> 8
  EXPECT_EQ(ranked[0].weight, 50);
  EXPECT_EQ(Id(view, ranked[1]), "k1");  // a 2 -> 7, d 9 -> 3
  EXPECT_EQ(ranked[1].weight, 7);
  EXPECT_EQ(ranked[1].total, 7.5);
  EXPECT_EQ(ranked[1].from, 9);
  EXPECT_EQ(ranked[1].to, 3);
}

TEST(Severity, DegenerateIsLoud) {
  SyntheticCampaign campaign(Matrix::kFull);
  CampaignView view = ReadCampaign(campaign.store()).value();
  for (MutantView& mutant : view.models[0].mutants) mutant.devices[0].degenerate = true;
  EXPECT_TRUE(RankSilent(view.models[0], 0, {}).empty());
  EXPECT_EQ(CountEffects(view.models[0], 0)[static_cast<size_t>(Effect::kLoud)], 5);
}

}  // namespace
}  // namespace mutatenn
