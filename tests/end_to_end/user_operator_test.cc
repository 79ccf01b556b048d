// Users' own operators: those of examples/custom-operator compute what onnxruntime computes of the
// network edited the same way; files that fail, or change more than they say, are told.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/files.h"
#include "support/fates.h"

namespace mutatenn {
namespace {

using testing::HasSubstr;

Json Uses(const std::vector<Json>& uses) {
  return {{"operators", uses}, {"matrix", "full"}, {"max_mutants", 0}};
}

Json Use(const std::string& file) { return {{"id", "python"}, {"file", file}}; }

TEST(UserOperator, TheExamplesComputeWhatTheySay) {
  Scratch scratch;
  for (const char* file : {"clip_bound.py", "drop_max.py"})
    std::filesystem::copy_file(SourceDirectory() / "examples/custom-operator" / file,
                               scratch.path / file);
  Json all = Use("clip_bound.py");
  all["positions"] = "all";
  const std::string campaign =
      MakeTinyCampaign(scratch.path, Uses({Use("clip_bound.py"), all, Use("drop_max.py")}));
  const auto python =
      Python((SourceDirectory() / "tests/support/edit_clips.py").string(), {scratch.path.string()});
  ASSERT_EQ(python.status, 0) << python.err;
  const Json expected = ParseJson(python.out, "onnxruntime").value();
  const std::string out = scratch / "out";
  const Json report = RunAndReport(campaign, out);
  int compared = 0;
  for (const Json& mutant : report["models"][0]["mutants"]) {
    EXPECT_EQ(mutant["category"], "user");
    const Json& points = mutant["points"];
    const std::string layer = points[0]["layers"].back();
    std::string edit;
    if (points[0]["level"] == "graph") {
      edit = (points.size() == 2 ? "both" : layer) + " 5";
    } else if (points[0]["block"] == "compute") {
      edit = layer == "relu" ? layer : layer + " min";
    } else {
      continue;  // the pooling's maximum
    }
    SCOPED_TRACE(edit);
    ASSERT_TRUE(expected.contains(edit)) << mutant;
    ExpectFates(out, mutant["id"], expected[edit]);
    ++compared;
  }
  EXPECT_EQ(compared, 6);
}

TEST(UserOperator, AFileThatFailsIsRefusedWithItsLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"def points(mod)\n", "ops.py:1: is loaded: SyntaxError"},
      {"import nothing_like_it\n", "ops.py:1: is loaded: ModuleNotFoundError"},
      {"def points(mod):\n  return []\n", "ops.py: has no function apply"},
      {"LEVEL = 'tir'\n", "ops.py: LEVEL is 'tir'; say 'graph' or 'code'"},
      {"def apply(m, p): pass\ndef points(mod):\n  return 1 / 0\n",
       "ops.py:3: points(mod): ZeroDivisionError"},
      {"def apply(m, p): pass\ndef points(mod): return ['nowhere']\n",
       "points(mod) names 'nowhere', which is no variable of main"},
  };
  for (const auto& [text, message] : cases) {
    Scratch scratch;
    ASSERT_TRUE(WriteFile(scratch / "ops.py", text).ok());
    const std::string campaign = MakeTinyCampaign(scratch.path, Uses({Use("ops.py")}));
    const RunResult run = Mutatenn({"run", campaign, "--out", scratch / "out", "--quiet"});
    EXPECT_EQ(run.status, 2) << run.err;
    EXPECT_THAT(run.err, HasSubstr(message));
  }
}

// What apply gives for a point is that mutant's fate, not the campaign's.
TEST(UserOperator, AMutantThatIsNoneIsStillborn) {
  const std::pair<const char*, const char*> cases[] = {
      {"return mod", "apply changed nothing at 'clip1'"},
      {"return None", "apply(mod, point) returned no IRModule"},
      {"return 1 / 0", "ops.py:5: apply(mod, point): ZeroDivisionError"},
      {"return replace_binding(replace_binding(mod, 'clip2', arg(mod, 'clip2')), point, arg(mod, "
       "point))",
       "apply changed 'clip2' too, not only 'clip1'"},
      {"return replace_binding(mod, point, relax.op.permute_dims(arg(mod, point), [0, 2, 3, 1]))",
       ""},  // TVM's own words: the shapes behind it do not fit
  };
  for (const auto& [body, message] : cases) {
    Scratch scratch;
    ASSERT_TRUE(WriteFile(scratch / "ops.py",
                          std::string("from mutatenn.operators import *\n"
                                      "def points(mod): return ['clip1']\n"
                                      "def arg(mod, at): return [b for b in bindings(mod) if "
                                      "b.var.name == at][0].value.args[0]\n"
                                      "def apply(mod, point):\n  ") +
                              body + "\n")
                    .ok());
    const std::string campaign = MakeTinyCampaign(
        scratch.path,
        Uses({Use("ops.py"),
              {{"id", "graph.arithmetic"}, {"from", {"add"}}, {"to", {"subtract"}}}}));
    const Json report = RunAndReport(campaign, scratch / "out");
    int stillborn = 0;
    for (const Json& mutant : report["models"][0]["mutants"]) {
      const Json& result = mutant["devices"]["host"];
      if (mutant["operator"] != "python") {
        EXPECT_NE(result["verdict"], "stillborn");
        continue;
      }
      ++stillborn;
      EXPECT_EQ(result["verdict"], "stillborn") << body;
      EXPECT_THAT(result["reason"].get<std::string>(), HasSubstr(message));
      EXPECT_FALSE(result["reason"].get<std::string>().empty());
    }
    EXPECT_EQ(stillborn, 1);
  }
}

}  // namespace
}  // namespace mutatenn
