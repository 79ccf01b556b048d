// Two boards that are right and one that is not, noisy or exact.
#include "device/farm_originals.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mutatenn {
namespace {

// One image, one output of three elements; a run for each of `last`, which is added to the last
// element of `base`.
ServerOriginals Server(const std::string& name, float base, const std::vector<float>& last) {
  ServerOriginals server{name, {}, {}};
  for (float more : last) {
    RepeatedRun run;
    run.outputs = {{{"", {{1, 2, base + more}}}}};
    server.repeated.push_back(run);
  }
  bool noisy = false;
  for (float more : last) noisy |= more != last[0];
  server.runs = {{.image = "a", .top = {{2, base + last[0]}}, .noisy = noisy}};
  return server;
}

TEST(FarmOriginals, ExactServersHaveToBeEqual) {
  EXPECT_EQ(Disagreement(Server("b", 8, {0, 0}), Server("a", 8, {0, 0})), "");
  EXPECT_EQ(Disagreement(Server("b", 8.001f, {0, 0}), Server("a", 8, {0, 0})),
            "gives other results than that of a");
}

TEST(FarmOriginals, NoiseIsAllowedForAndNoMore) {
  const ServerOriginals noisy = Server("a", 8, {0, 0.25f});
  EXPECT_EQ(Disagreement(Server("b", 8.2f, {0, 0}), noisy), "");
  EXPECT_EQ(Disagreement(Server("b", 8.5f, {0, 0.3f}), noisy), "") << "both servers' noise";
  EXPECT_EQ(Disagreement(Server("b", 9, {0, 0}), noisy),
            "differs by 1 from that of a; outputs reach 9, both servers' noise together is 0.25");
  EXPECT_EQ(Disagreement(Server("b", NAN, {0, 0}), noisy), "is not finite where that of a is");
  // 0.001 of the largest output is what other code may make.
  EXPECT_EQ(Disagreement(Server("b", 8.007f, {0, 0.001f}), Server("a", 8, {0, 0.001f})), "");
  EXPECT_NE(Disagreement(Server("b", 8.009f, {0, 0.0001f}), Server("a", 8, {0, 0.0001f})), "");
}

TEST(FarmOriginals, TheOddOneOutIsNotTheStandard) {
  EXPECT_EQ(MostAgreed({Server("odd", 3, {0}), Server("b", 8, {0}), Server("c", 8, {0})}), 1u);
  EXPECT_EQ(MostAgreed({Server("a", 3, {0}), Server("b", 8, {0})}), 0u) << "who came first";
}

TEST(FarmOriginals, OnlyRunsThatDifferAreAdded) {
  auto all = Together({Server("a", 8, {0, 0}), Server("b", 8, {0, 0}), Server("c", 8, {0, 0.5f})});
  ASSERT_EQ(all.size(), 2u);
  for (const RepeatedRun& run : all) {
    ASSERT_EQ(run.outputs[0].size(), 2u);
    EXPECT_EQ(run.outputs[0][0].worker, "a");
    EXPECT_EQ(run.outputs[0][1].worker, "c");
  }
  EXPECT_EQ(all[1].outputs[0][1].outputs[0][2], 8.5f);
  // Where the first differs from itself, all count.
  all = Together({Server("c", 8, {0, 0.5f}), Server("a", 8, {0, 0})});
  EXPECT_EQ(all[0].outputs[0].size(), 2u);
}

}  // namespace
}  // namespace mutatenn
