// The three modules one by one; execution and reports need neither the compiler library nor Python.
#include <gtest/gtest.h>

#include "base/files.h"
#include "support/run.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;

TEST(Modules, ExecuteAndReportWithoutCompilerAndPython) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 12}});
  RunResult built = Mutatenn({"build", campaign, "--out", scratch / "out", "--quiet"});
  ASSERT_EQ(built.status, 0) << built.err;
  // The dynamic linker writes down every library that any process loads; no Python can be found.
  const std::map<std::string, std::string> hidden = {{"LD_DEBUG", "files"},
                                                     {"LD_DEBUG_OUTPUT", scratch / "loaded"},
                                                     {"MUTATENN_PYTHON", "/nonexistent/python"},
                                                     {"PATH", "/nonexistent"}};
  for (const char* module : {"execute", "analyze", "report"}) {
    RunResult result = Mutatenn({module, scratch / "out", "--quiet"}, {.environment = hidden});
    EXPECT_EQ(result.status, 0) << module << ": " << result.err;
  }
  int processes = 0, runtimes = 0;
  for (const auto& entry : fs::directory_iterator(scratch.path)) {
    if (!entry.path().filename().string().starts_with("loaded")) continue;
    ++processes;
    auto text = ReadFile(entry.path());
    ASSERT_TRUE(text.ok());
    runtimes += text->find("libtvm_runtime.so") != std::string::npos;
    EXPECT_EQ(text->find("libtvm_compiler"), std::string::npos) << entry.path();
    EXPECT_EQ(text->find("libpython"), std::string::npos) << entry.path();
  }
  EXPECT_GE(processes, 4);  // three commands and at least one worker
  EXPECT_GE(runtimes, 1);
  Json report = Report(scratch / "out");
  for (const Json& mutant : report["models"][0]["mutants"])
    for (const Json& device : mutant["devices"]) EXPECT_NE(device["verdict"], "pending");
}

TEST(Modules, PaperTreeAndShow) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path, {{"max_mutants", 8}});
  ASSERT_EQ(Mutatenn({"run", campaign, "--out", scratch / "out", "--quiet"}).status, 0);
  RunResult paper = Mutatenn({"report", scratch / "out", "--format", "paper"});
  ASSERT_EQ(paper.status, 0) << paper.err;
  bool evaluation = false;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(scratch / "out")))
    evaluation = evaluation || entry.path().filename() == "device_evaluation.json";
  EXPECT_TRUE(evaluation);
  Json report = Report(scratch / "out");
  for (const Json& mutant : report["models"][0]["mutants"]) {
    RunResult shown =
        Mutatenn({"show", scratch / "out", mutant["id"].get<std::string>().substr(0, 12)});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_NE(shown.out.find(mutant["operator"].get<std::string>()), std::string::npos);
    EXPECT_NE(shown.out.find("\n-"), std::string::npos) << "no IR difference in\n" << shown.out;
  }
}

// A second campaign on the first one's cache compiles nothing; what is pruned is the report's.
TEST(Modules, StatsOfTwoCampaignsOnOneCache) {
  Scratch scratch;
  const std::string campaign =
      MakeTinyCampaign(scratch.path, {{"max_mutants", 24}, {"cache", scratch / "cache"}});
  for (const char* out : {"first", "second"}) {
    RunResult run = Mutatenn({"run", campaign, "--out", scratch / out, "--quiet", "--stats",
                              "--stats-json", scratch / "stats.json"});
    ASSERT_EQ(run.status, 0) << run.err;
    for (const char* word : {"import", "compile", "link", "reference", "mutants", "store",
                             "Cache hits", "equivalent", "infected", "Steps skipped", "Isolation"})
      EXPECT_NE(run.out.find(word), std::string::npos) << word << " is not in\n" << run.out;
    Json stats = LoadJson(scratch / "stats.json");
    const bool warm = out == std::string("second");
    EXPECT_EQ(stats["mutants_built"], 48);
    EXPECT_EQ(stats["mutants_cached"] == 48, warm);
    EXPECT_EQ(stats["kernels_compiled"] == 0, warm);
    EXPECT_GT(stats["kernels_cached"].get<int>() + stats["kernels_compiled"].get<int>(), 0);
    EXPECT_EQ(stats["work"]["link_s"] == 0, warm);
    int equivalent = 0, judged = 0;
    const Json report = Report(scratch / out);
    for (const Json& mutant : report["models"][0]["mutants"]) {
      for (const Json& device : mutant["devices"]) {
        equivalent += device["verdict"] == "equivalent";
        judged += device["verdict"] != "equivalent" && device["verdict"] != "stillborn";
      }
    }
    EXPECT_EQ(stats["equivalent"], equivalent);
    EXPECT_EQ(stats["judged"], judged);
  }
}

TEST(Modules, PointsRunNothing) {
  Scratch scratch;
  const std::string campaign = MakeTinyCampaign(scratch.path);
  RunResult points = Mutatenn({"points", campaign});
  ASSERT_EQ(points.status, 0) << points.err;
  EXPECT_NE(points.out.find("graph.arithmetic"), std::string::npos);
  RunResult dry = Mutatenn({"run", campaign, "--dry-run", "--out", scratch / "dry"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_FALSE(fs::exists(scratch / "dry"));
}

}  // namespace
}  // namespace mutatenn
