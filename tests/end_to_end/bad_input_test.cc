// Bad input: one clear line that names the file and the remedy, the documented exit status, no
// stack trace, and nothing measured is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "support/run.h"

namespace mutatenn {
namespace {

using testing::HasSubstr;

// Runs the campaign and expects one line on stderr that holds all of `words`.
void ExpectRefused(const std::string& campaign, const std::string& folder, int status,
                   const std::vector<std::string>& words, const RunOptions& options = {}) {
  RunResult run = Mutatenn({"run", campaign, "--out", folder, "--quiet"}, options);
  EXPECT_EQ(run.status, status) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  for (const std::string& word : words) EXPECT_THAT(run.err, HasSubstr(word));
  EXPECT_EQ(run.err.find("Traceback"), std::string::npos) << run.err;
  EXPECT_EQ(run.err.find("bug at"), std::string::npos) << run.err;
}

TEST(BadInput, CorruptNetwork) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  auto bytes = ReadFile(scratch / "tiny.onnx");
  ASSERT_TRUE(WriteFile(scratch / "tiny.onnx", bytes->substr(0, bytes->size() / 2)).ok());
  ExpectRefused(campaign, scratch / "out", 2, {"tiny.onnx"});
}

TEST(BadInput, TextRenamedToOnnx) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  ASSERT_TRUE(WriteFile(scratch / "tiny.onnx", "this is no network\n").ok());
  ExpectRefused(campaign, scratch / "out", 2, {"tiny.onnx"});
}

TEST(BadInput, AnImageThatIsNone) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  ASSERT_TRUE(WriteFile(scratch / "images/image3.png", "no picture").ok());
  ExpectRefused(campaign, scratch / "out", 2, {"image3.png"});
}

TEST(BadInput, Configuration) {
  struct Case {
    Json changes;
    std::vector<std::string> words;
  };
  Json tiny;
  {
    Scratch scratch;
    tiny = LoadJson(MakeTinyCampaign(scratch.path));
  }
  Json mean = tiny["models"];
  mean[0]["preprocessing"]["mean"] = {1, 2};
  Json missing = tiny["models"];
  missing[0]["path"] = "absent.onnx";
  const std::vector<Case> cases = {
      {{{"models", mean}}, {"campaign.json", "models[0].preprocessing.mean"}},
      {{{"models", missing}}, {"campaign.json", "models[0].path", "absent.onnx"}},
      {{{"operators", Json::array({{{"id", "code.relatoin"}}})}},
       {"campaign.json", "operators[0].id", "code.relation"}},
      {{{"operators", Json::array({{{"id", "code.store_value"}, {"valu", 1}}})}},
       {"operators[0].valu", "value"}},
      {{{"devices",
         Json::array({{{"name", "d"}, {"target", {{"kind", "llvm"}, {"mcpu", "native"}}}}})}},
       {"mcpu", "host"}},
      {{{"max_mutant", 3}}, {"max_mutant", "max_mutants"}},
      {{{"jobs", "two"}}, {"jobs"}},
  };
  for (const Case& c : cases) {
    Scratch scratch;
    ExpectRefused(MakeTinyCampaign(scratch.path, c.changes), scratch / "out", 2, c.words);
    EXPECT_FALSE(std::filesystem::exists(scratch / "out")) << "something was begun";
  }
}

TEST(BadInput, ATargetThatLlvmDoesNotKnow) {
  Scratch scratch;
  const Json devices =
      Json::array({{{"name", "d"}, {"target", {{"kind", "llvm"}, {"mcpu", "z80"}}}}});
  ExpectRefused(MakeTinyCampaign(scratch.path, {{"devices", devices}}), scratch / "out", 2,
                {"z80", "host"});
}

TEST(BadInput, AnotherCampaignsFolder) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 4}});
  ASSERT_EQ(Mutatenn({"run", campaign, "--out", scratch / "out", "--quiet"}).status, 0);
  Json before = Report(scratch / "out");
  MakeTinyCampaign(scratch.path, {{"max_mutants", 4}, {"seed", 2}});
  ExpectRefused(campaign, scratch / "out", 2, {"seed"});
  EXPECT_EQ(Report(scratch / "out"), before);
}

TEST(BadInput, ReadOnlyFolder) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  std::filesystem::create_directory(scratch / "out");
  std::filesystem::permissions(scratch / "out", static_cast<std::filesystem::perms>(0555));
  std::filesystem::permissions(scratch.path, static_cast<std::filesystem::perms>(0755));
  ExpectRefused(campaign, scratch / "out", 3, {"out"}, {.user = 65534});
}

TEST(BadInput, FullDiskLosesNothingMeasured) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 20}});
  const std::string mount = scratch / "disk";
  std::filesystem::create_directory(mount);
  if (mutatenn::Run({"mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount}).status != 0)
    GTEST_SKIP() << "no permission to mount a small disk";
  RunResult run = Mutatenn({"run", campaign, "--out", mount + "/out", "--quiet"});
  EXPECT_EQ(run.status, 3) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_THAT(run.err, HasSubstr("space"));
  EXPECT_EQ(mutatenn::Run({"mount", "-o", "remount,size=200m", mount}).status, 0);
  RunResult again = Mutatenn({"run", campaign, "--out", mount + "/out", "--quiet"});
  EXPECT_EQ(again.status, 0) << again.err;
  Json resumed = Comparable(Report(mount + "/out"));
  EXPECT_EQ(mutatenn::Run({"umount", mount}).status, 0);
  ASSERT_EQ(Mutatenn({"run", campaign, "--out", scratch / "whole", "--quiet"}).status, 0);
  EXPECT_EQ(resumed, Comparable(Report(scratch / "whole")));
}

TEST(BadInput, Arguments) {
  EXPECT_EQ(Mutatenn({"run", "/nonexistent/campaign.json", "--out", "/tmp/x"}).status, 2);
  EXPECT_EQ(Mutatenn({"frobnicate"}).status, 2);
  EXPECT_EQ(Mutatenn({"report", "/nonexistent"}).status, 2);
}

}  // namespace
}  // namespace mutatenn
