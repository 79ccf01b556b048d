// Differences against numbers by hand; single steps of a local worker against the program by hand.
#include "device/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "device/session_testing.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Differences, OfNumbersThatAreExactInBinary) {
  const std::vector<float> with = {1, -3, 0, 8}, values = {1.5f, -3, 0.25f, 8.5f};
  const ValueDifference found = Differences(values, with);
  EXPECT_EQ(found.elements, 4);
  EXPECT_EQ(found.differing, 3);
  EXPECT_EQ(found.nonfinite, 0);
  EXPECT_EQ(found.largest_abs, 0.5);
  EXPECT_EQ(found.scale, 8);
  EXPECT_EQ(found.tolerance, 0.25);  // 0.5 / (1 + 1), 0.25 / (1 + 0), 0.5 / (1 + 8)
  EXPECT_EQ(found.worst, 0);
  const ValueDifference none = Differences(with, with);
  EXPECT_EQ(none.differing, 0);
  EXPECT_EQ(none.worst, -1);
  EXPECT_EQ(none.tolerance, 0);
}

TEST(Differences, NumbersThatAreNone) {
  const ValueDifference found = Differences(std::vector<float>{NAN, NAN, kInfinity, kInfinity, 2},
                                            std::vector<float>{NAN, 1, kInfinity, -kInfinity, 2});
  EXPECT_EQ(found.differing, 2);
  EXPECT_EQ(found.nonfinite, 2);
  EXPECT_EQ(found.scale, 2);
  EXPECT_EQ(found.largest_abs, 0);
  EXPECT_EQ(Differences(std::vector<float>{-0.0f}, std::vector<float>{0.0f}).differing, 1);
  EXPECT_EQ(Differences(std::vector<float>{1}, std::vector<float>{1, 2}).nonfinite, 1);
}

TEST(Differences, Add) {
  ValueDifference sum = Differences(std::vector<float>{1.5f}, std::vector<float>{1});
  Add(Differences(std::vector<float>{4, 7}, std::vector<float>{4, 5}), &sum);
  EXPECT_EQ(sum.elements, 3);
  EXPECT_EQ(sum.differing, 2);
  EXPECT_EQ(sum.largest_abs, 2);
  EXPECT_EQ(sum.scale, 5);
  EXPECT_DOUBLE_EQ(sum.tolerance, 2.0 / 6);
  EXPECT_EQ(sum.worst, 1);
}

std::string Bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}
std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(Probe, RunsStepsOnGivenValues) {
  auto session = OpenLocal();
  EXPECT_FALSE(session->Run(Probe{}).ok()) << "nothing is loaded";
  Good(session->Load(Small().Request()));
  const Program program = Small().Make();
  auto value = [&](const char* name) { return program.FindValue(name); };
  Probe probe{.fresh = true};
  probe.puts = {{"own", value("x"), Bytes(SmallProgram::ImageElements(2))},
                {"other", value("c"), Bytes(SmallProgram::Ramp(1, 1))}};
  for (int step = 1; step < 6; ++step) probe.runs.push_back({step, {"own"}, "own"});
  // d = c + a and y = d * scale again, with another c.
  probe.runs.push_back({4, {"other", "own"}, "mixed"});
  probe.runs.push_back({5, {"mixed"}, "mixed"});
  probe.compares = {{value("y"), "mixed", "own"}, {value("a"), "own", "own"}};
  probe.gets = {{"own", value("y")}, {"mixed", value("y")}, {"", value("w2")}};
  const Probed probed = Good(session->Run(probe));

  const std::vector<float> y = SmallProgram::Expected(2), x = SmallProgram::ImageElements(2),
                           w = SmallProgram::Ramp(0.5f, 0.125f),
                           scale = SmallProgram::Ramp(1.0f, -0.03125f);
  std::vector<float> mixed, w2;
  for (size_t i = 0; i < x.size(); ++i) {
    mixed.push_back((static_cast<float>(i + 1) + x[i] * (w[i] * 2)) * scale[i]);
    w2.push_back(w[i] * 2);
  }
  EXPECT_EQ(Floats(probed.values[0]), y);
  EXPECT_EQ(Floats(probed.values[1]), mixed);
  EXPECT_EQ(Floats(probed.values[2]), w2);
  EXPECT_EQ(probed.differences[0], Differences(mixed, y));
  EXPECT_EQ(probed.differences[1].differing, 0);

  // What was forgotten is gone; the rest is still there, until everything is.
  Good(session->Run(Probe{.forget = {value("y")}}));
  EXPECT_THAT(session->Run(Probe{.gets = {{"own", value("y")}}}).error().message,
              HasSubstr("value 'y' is not in the set 'own'"));
  EXPECT_TRUE(session->Run(Probe{.gets = {{"own", value("d")}}}).ok());
  EXPECT_FALSE(session->Run(Probe{.fresh = true, .gets = {{"own", value("d")}}}).ok());
}

TEST(Probe, RefusesWhatDoesNotFit) {
  auto session = OpenLocal();
  Good(session->Load(Small().Request()));
  auto refused = [&](const Probe& probe) {
    auto answer = session->Run(probe);
    EXPECT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Code::kInvalidInput);
    return answer.error().message;
  };
  EXPECT_THAT(refused({.puts = {{"own", 0, "abc"}}}),
              HasSubstr("has 96 bytes, a probe gives it 3"));
  EXPECT_THAT(refused({.puts = {{"own", 99, ""}}}), HasSubstr("value 99"));
  EXPECT_THAT(refused({.runs = {{-1, {"own"}, "own"}}}), HasSubstr("step -1"));
  EXPECT_THAT(refused({.runs = {{2, {"own"}, "own"}}}), HasSubstr("no set has its input 'a'"));
}

}  // namespace
}  // namespace mutatenn
