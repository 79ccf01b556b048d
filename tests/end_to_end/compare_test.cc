// `mutatenn compare` as a user runs it: fused multiply-add is rounding, a sum taken apart is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "support/run.h"

namespace mutatenn {
namespace {

using ::testing::HasSubstr;

Json Compared(const RunResult& run, int status) {
  EXPECT_EQ(run.status, status) << run.err;
  auto json = ParseJson(run.out, "compare");
  EXPECT_TRUE(json.ok()) << run.out;
  return json.ok() ? (*json)["comparisons"][0] : Json();
}

TEST(Compare, FusedMultiplyAddIsRounding) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  const Json found = Compared(Mutatenn({"compare", campaign, "--format", "json"}), 0);
  EXPECT_EQ(found["a"], "x86-64");
  EXPECT_EQ(found["b"], "host");
  EXPECT_EQ(found["images"], 6);
  EXPECT_EQ(found["labels_differ"], 0);
  EXPECT_EQ(found["first_diverging"], nullptr);
  ASSERT_GE(found["steps"].size(), 6u);
  for (const Json& step : found["steps"]) {
    EXPECT_FALSE(step["diverges"]) << step;
    EXPECT_LE(step["local"]["largest_abs"], step["floor"]) << step;
    EXPECT_EQ(step["steps_b"], 1);
  }
  const Json& last = found["steps"].back();
  EXPECT_EQ(last["layers"].back(), "fc");
  EXPECT_EQ(last["total"]["elements"], 60);
  EXPECT_LT(last["total"]["largest_abs"], 1e-4);
}

TEST(Compare, OneDeviceWithAndWithoutSchedules) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  const RunResult table =
      Mutatenn({"compare", campaign, "--devices", "host@2,host", "--images", "2"});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("tiny: host against host@2 over 2 images"));
  EXPECT_THAT(table.out, HasSubstr("no step differs by more than rounding"));
  for (const char* wrong : {"host", "host,nobody", "host@7,host", "host,host,host"})
    EXPECT_EQ(Mutatenn({"compare", campaign, "--devices", wrong}).status, 2) << wrong;
}

std::string Support(const std::string& script) {
  return (SourceDirectory() / "tests/support" / script).string();
}

// A campaign over one of make_special.py's networks; `expected`: what that script says of them.
std::string MakeSpecialCampaign(const Scratch& scratch, const std::string& network,
                                const Json& devices, Json* expected) {
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"devices", devices}});
  const RunResult python = Python(Support("make_special.py"), {scratch.path.string()});
  EXPECT_EQ(python.status, 0) << python.err;
  *expected = ParseJson(python.out, "onnxruntime").value();
  Json config = LoadJson(campaign);
  config["models"][0]["path"] = network;
  EXPECT_TRUE(WriteFile(campaign, config.dump()).ok());
  return campaign;
}

const Json kPlain = {{"name", "plain"}, {"target", {{"kind", "llvm"}}}};
const Json kFast = {{"name", "fast"}, {"target", {{"kind", "llvm"}, {"fast-math", true}}}};

// 0 / 0 is NaN, unless a compiler may take float32 for real numbers.
TEST(Compare, FindsTheStepThatFastMathChangesAndNamesTheSwitch) {
  Scratch scratch;
  Json expected;
  const std::string campaign =
      MakeSpecialCampaign(scratch, "ratio.onnx", Json::array({kPlain, kFast}), &expected);
  const Json found =
      Compared(Mutatenn({"compare", campaign, "--explain", "--bisect", "--format", "json"}), 7);
  ASSERT_EQ(found["steps"].size(), 5u);
  EXPECT_LE(found["steps"][0]["excess"], 1);
  const Json& step = found["steps"][1];
  EXPECT_EQ(step["step"], found["first_diverging"]);
  EXPECT_EQ(step["layers"], (Json{"conv1", "relu1", "ratio"}));
  EXPECT_EQ(step["local"]["nonfinite"], expected["zeros"]);
  EXPECT_EQ(step["excess"], "inf");
  for (size_t k = 2; k < 5; ++k) EXPECT_FALSE(found["steps"][k]["diverges"]) << k;

  EXPECT_EQ(found["explanation"]["named"], "fast math off");
  EXPECT_EQ(found["explanation"]["outside_a"], "");
  EXPECT_EQ(found["explanation"]["outside_b"], "");
  for (const Json& effect : found["explanation"]["switches"]) {
    if (effect["switch"] == "fast math off") {
      EXPECT_EQ(effect["on_a"], nullptr);  // there is none to switch off
      EXPECT_EQ(effect["on_b"], 0.0);
    } else if (effect["switch"] == "no schedule") {
      EXPECT_EQ(effect["on_both"], "inf");
    }
  }
  EXPECT_EQ(found["bisection"]["pass"], "");  // LLVM does it
  const RunResult table = Mutatenn({"compare", campaign, "--images", "1", "--explain"});
  EXPECT_EQ(table.status, 7);
  EXPECT_THAT(table.out,
              HasSubstr("first step that differs by more than rounding: conv1 relu1 ratio"));
  EXPECT_THAT(table.out, HasSubstr("removed by: fast math off"));
}

// TVM's own simplifier takes x + 2^20 - 2^20 for x.
TEST(Compare, BisectsToThePassThatTakesASumApart) {
  Scratch scratch;
  Json expected;
  const std::string campaign =
      MakeSpecialCampaign(scratch, "absorbed.onnx", Json::array({kPlain, kFast}), &expected);
  // Level 3 inlines blocks first, and TVM simplifies what it inlines; level 2 does not.
  const std::vector<std::string> more = {"--explain", "--bisect", "--format", "json"};
  auto compared = [&](const std::string& sides) {
    std::vector<std::string> arguments = {"compare", campaign, "--devices", sides};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Compared(Mutatenn(arguments), 7);
  };
  const Json found = compared("plain@2,plain");
  EXPECT_EQ(found["labels_differ"], expected["labels"]);
  bool behind = false;
  for (const Json& step : found["steps"]) {
    if (step["step"] == found["first_diverging"]) {
      EXPECT_EQ(step["layers"].back(), "minus");
      EXPECT_NEAR(step["local"]["largest_abs"].get<double>(), expected["rounded"].get<double>(),
                  1e-5);
      EXPECT_GT(step["excess"], 100);
      behind = true;
      continue;
    }
    // What comes before differs by rounding, what comes behind by its inputs.
    EXPECT_EQ(step["total"]["largest_abs"].get<double>() > 1e-3, behind) << step;
    EXPECT_FALSE(step["diverges"]) << step;
  }
  EXPECT_TRUE(behind);
  EXPECT_EQ(found["explanation"]["named"], "no schedule");
  // In float64 the large number absorbs nothing: it is level 2 that is off.
  EXPECT_NEAR(found["explanation"]["from_float64_a"].get<double>(),
              expected["rounded"].get<double>(), 1e-5);
  EXPECT_LT(found["explanation"]["from_float64_b"], 1e-5);
  const Json& bisected = found["bisection"];
  EXPECT_EQ(bisected["tried"], (Json{"mutatenn.Normalize", "mutatenn.Schedule"}));
  EXPECT_EQ(bisected["pass"], "mutatenn.Normalize");
  EXPECT_EQ(bisected["side"], "plain");
  EXPECT_EQ(bisected["left_out"], false);
  EXPECT_EQ(bisected["alone"], true);
  EXPECT_EQ(compared("plain,plain@2")["bisection"]["pass"], "mutatenn.Normalize");
  // Among passes that make no difference.
  const Json among = compared(
      "plain,plain~mutatenn.Normalize~tirx.transform.UnrollLoop"
      "~tirx.transform.StorageRewrite~s_tir.transform.HoistIfThenElse");
  EXPECT_EQ(among["bisection"]["pass"], "mutatenn.Normalize");
  EXPECT_EQ(among["bisection"]["tried"].size(), 4u);
  EXPECT_EQ(among["bisection"]["side"], "plain");  // what is normalised can be built without it
}

TEST(Compare, RecordedOutputs) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  ASSERT_EQ(Python(Support("record_outputs.py"), {scratch.path.string()}).status, 0);
  auto against = [&](const std::string& file) {
    return Mutatenn(
        {"compare", campaign, "--devices", scratch / file + ",host", "--format", "json"});
  };
  for (const char* file : {"by_image.npz", "whole.npz"}) {
    const Json found = Compared(against(file), 0);
    EXPECT_EQ(found["outputs_only"], true);
    ASSERT_EQ(found["steps"].size(), 1u);
    EXPECT_EQ(found["steps"][0]["total"]["elements"], 60);
    EXPECT_LT(found["steps"][0]["total"]["largest_abs"], 1e-4);
    EXPECT_GT(found["steps"][0]["total"]["differing"], 0) << "compared with itself?";
  }
  const Json wrong = Compared(against("wrong.npz"), 7);
  EXPECT_NEAR(wrong["steps"][0]["total"]["largest_abs"].get<double>(), 1, 1e-4);
  EXPECT_EQ(wrong["steps"][0]["image"], "image2.png");
  const RunResult compressed = against("compressed.npz");
  EXPECT_EQ(compressed.status, 2);
  EXPECT_THAT(compressed.err, HasSubstr("write it with numpy.savez"));
  EXPECT_EQ(against("none.npz").status, 2);
}

TEST(Compare, ALibraryThatSomebodyElseCompiled) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path), library = scratch / "net.so";
  const RunResult python = Python(Support("make_library.py"), {scratch / "tiny.onnx", library});
  ASSERT_EQ(python.status, 0) << python.err;
  const Json found = Compared(
      Mutatenn({"compare", campaign, "--devices", "host," + library, "--format", "json"}), 0);
  EXPECT_EQ(found["images"], 6);
  EXPECT_EQ(found["labels_differ"], 0);
  EXPECT_LT(found["steps"][0]["total"]["largest_abs"], 1e-4);
  ASSERT_TRUE(WriteFile(scratch / "none.so", "nothing").ok());
  EXPECT_EQ(Mutatenn({"compare", campaign, "--devices", "host," + (scratch / "none.so")}).status,
            4);
}

}  // namespace
}  // namespace mutatenn
