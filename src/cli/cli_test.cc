// The command line as a user meets it: help, errors of one line, exit statuses, and the
// sub-commands that read a campaign.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/files.h"
#include "base/hash.h"
#include "campaign/key_table.h"
#include "cli/cli_docs.h"
#include "cli/subcommand.h"
#include "mutation/operator.h"
#include "store/store.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Said {
  int status = -1;
  std::string out, err;
};

Said Call(std::vector<std::string> words) {
  words.insert(words.begin(), "mutatenn");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.status = RunCli(static_cast<int>(argv.size()), argv.data());
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

void ExpectOneLine(const Said& said, int status, const std::string& line) {
  EXPECT_EQ(said.status, status);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err, "mutatenn: " + line + "\n");
}

TEST(Cli, EverySubcommandHasHelp) {
  for (const SubcommandEntry& entry : AllSubcommands()) {
    Said said = Call({entry.name, "--help"});
    EXPECT_EQ(said.status, 0) << entry.name;
    EXPECT_THAT(said.out, HasSubstr(entry.summary));
    EXPECT_EQ(said.err, "");
  }
}

TEST(Cli, HelpNamesWhatUsersCall) {
  Said said = Call({"--help"});
  EXPECT_EQ(said.status, 0);
  for (const char* name :
       {"run", "build", "execute", "analyze", "operators", "points", "show", "report", "schema"}) {
    EXPECT_THAT(said.out, HasSubstr(std::string("\n  ") + name + " "));
  }
  EXPECT_THAT(said.out, Not(HasSubstr("compile-server")));
  EXPECT_EQ(Call({"--version"}).status, 0);
}

TEST(Cli, MistakesAreOneLineAndStatusTwo) {
  ExpectOneLine(Call({}), 2, "A subcommand is required (`mutatenn --help` explains)");
  ExpectOneLine(Call({"runn"}), 2,
                "'runn' is no sub-command; did you mean 'run'? (`mutatenn --help` explains)");
  ExpectOneLine(Call({"run"}), 2, "CONFIG is required (`mutatenn run --help` explains)");
  ExpectOneLine(Call({"run", "--outt", "x"}), 2,
                "'--outt' is no option of `mutatenn run`; did you mean '--out'? (`mutatenn run "
                "--help` explains)");
  ExpectOneLine(Call({"run", "c.json"}), 2, "--out is missing; it names the campaign's folder");
  ExpectOneLine(Call({"run", "/nowhere/c.json", "--out", "/nowhere/out"}), 2,
                "/nowhere/c.json: no such file");
  ExpectOneLine(Call({"execute", "/nowhere"}), 2,
                "/nowhere: holds no campaign; `mutatenn build CONFIG --out /nowhere` makes one");
  ExpectOneLine(Call({"report", "/nowhere", "--json", "-"}), 2,
                "/nowhere: holds no campaign; `mutatenn run CONFIG --out /nowhere` makes one");
  ExpectOneLine(Call({"report", "/nowhere", "--json", "-", "--format", "paper"}), 2,
                "--json FILE stands for --format json --out FILE; leave those out");
  Said format = Call({"report", "/nowhere", "--format", "xml"});
  EXPECT_EQ(format.status, 2);
  EXPECT_THAT(format.err, HasSubstr("--format: 'xml' is no report; say '"));
  for (const char* flag : {"--complete", "--stats", "--stats-json=x"}) {
    Said dry = Call({"run", "c.json", "--dry-run", flag});
    EXPECT_EQ(dry.status, 2);
    EXPECT_THAT(dry.err, HasSubstr("leave out --complete, --stats and --stats-json"));
  }
}

TEST(Cli, SchemaIsPrinted) { EXPECT_EQ(Call({"schema"}).out, CampaignSchema()); }

TEST(Cli, OperatorsInEveryFormat) {
  Result<Json> json = ParseJson(Call({"operators", "--format", "json"}).out, "operators");
  ASSERT_TRUE(json.ok()) << json.error().message;
  ASSERT_EQ(json->size(), AllOperators().size());
  std::string table = Call({"operators"}).out,
              markdown = Call({"operators", "--format", "markdown"}).out;
  for (const MutationOperator* op : AllOperators()) {
    EXPECT_THAT(table, HasSubstr(op->id));
    EXPECT_THAT(markdown, HasSubstr("\n## " + op->id + "\n"));
  }
  EXPECT_EQ(Call({"operators", "--format", "xml"}).status, 2);
}

TEST(Cli, DocsHoldTheHelp) {
  const char* source = std::getenv("MUTATENN_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "MUTATENN_SOURCE_DIR is not set";
  Result<std::string> text = ReadFile(fs::path(source) / "docs/cli.md");
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(*text, CliDocs()) << "run: mutatenn cli-docs > docs/cli.md";
}

// A folder whose campaign has two mutants on one device: one killed, one stillborn.
class ReadingTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("cli_test." + std::to_string(::getpid()));
    fs::create_directories(folder_);
    Result<std::unique_ptr<Store>> store = Store::Open(StorePath(folder_.string()));
    ASSERT_TRUE(store.ok()) << store.error().message;
    Store& s = **store;
    ASSERT_TRUE(s.SetMeta("campaign", "c0ffee").ok());
    ASSERT_TRUE(s.SetMeta("matrix", "early").ok());
    ASSERT_TRUE(s.PutModels({{"net", "net.onnx", "h", "g", "[]"}}).ok());
    ASSERT_TRUE(s.PutImages({{"net", "cat.jpg", "cat.jpg", "h", 3, 0, "inputs/h.bin"}}).ok());
    ASSERT_TRUE(s.PutDevices({{"host", "{\"kind\":\"llvm\"}", "{}", "{\"kind\":\"local\"}", 0,
                               "cpu", "0.27"}})
                    .ok());
    for (const char* id : {"aa11", "aa22"}) {
      ASSERT_TRUE(s.PutMutants({{"net", id, "code.lt_to_le", "code.lt_to_le {}", "conditions",
                                 "code", std::string("place ") + id, "[]",
                                 "{\"id\":\"code.lt_to_le\",\"parameters\":{}}"}})
                      .ok());
    }
    ASSERT_TRUE(s.PutBuilds({{"net", "aa11", 0, "ok", "", "{}", "-a < b\n+a <= b\n", "tir", 0.1},
                             {"net", "aa22", 0, "stillborn", "no such type", "", "", "tir", 0.1}})
                    .ok());
    ASSERT_TRUE(s.PutOriginals({{"net", "host", "cat.jpg", "[[3,10.0],[4,9.0]]", 0.1}}).ok());
    StoredFate fate{"net", "aa11", "host", "cat.jpg", "ok", "[[4,9.5],[3,9.0]]",
                    true,  2,      "step", "conv3"};
    ASSERT_TRUE(
        s.PutFates({fate}, StoredOutOfBounds{"net", "aa11", "host", "step", "input 0", -4}).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(ReadingTest, ShowPrintsDiffFatesAndVerdict) {
  Said said = Call({"show", folder_.string(), "aa1"});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("mutant aa11\n"));
  EXPECT_THAT(said.out, HasSubstr("build for host\n-a < b\n+a <= b\n"));
  EXPECT_THAT(said.out, HasSubstr("device host: killed out_of_bounds (step, input 0, byte -4)"));
  EXPECT_THAT(said.out,
              HasSubstr("cat.jpg: ok, label 4 (9.5) for 3 (10), 2 steps differ from conv3 on"));
  EXPECT_THAT(Call({"show", folder_.string(), "aa2"}).out, HasSubstr("stillborn: no such type"));
}

TEST_F(ReadingTest, ShowAsksForMoreDigitsOrSaysThereIsNone) {
  ExpectOneLine(Call({"show", folder_.string(), "aa"}), 2,
                folder_.string() + ": 2 mutants start with 'aa' (aa11, aa22); give more digits");
  ExpectOneLine(Call({"show", folder_.string(), "bb"}), 2,
                folder_.string() + ": has no mutant 'bb'");
}

TEST_F(ReadingTest, ReportsAreWritten) {
  Result<Json> json = ParseJson(Call({"report", folder_.string(), "--json", "-"}).out, "report");
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(json->at("models")[0].at("mutants").size(), 2u);
  std::string file = (folder_ / "report.json").string();
  EXPECT_EQ(Call({"report", folder_.string(), "--json", file}).status, 0);
  EXPECT_TRUE(fs::exists(file));
  Said summary = Call({"analyze", folder_.string()});
  EXPECT_EQ(summary.status, 0) << summary.err;
  EXPECT_THAT(summary.out, HasSubstr("net"));
  EXPECT_EQ(Call({"report", folder_.string()}).out, summary.out);
}

TEST_F(ReadingTest, LimitsGiveTheExitStatus) {
  // One of one is killed: from 0.2065 with 95 % confidence.
  Said kept = Call({"analyze", "--min-score", "0.2", folder_.string()});
  EXPECT_EQ(kept.status, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("passed: net, score: 1.0000 (n = 1), at least 0.2065"));
  Said broken = Call({"analyze", folder_.string(), "--min-score", "0.2", "--min-score",
                      "operator:code.lt_to_le=0.3", "--max-disagreement", "0"});
  EXPECT_EQ(broken.status, 7) << broken.err;
  EXPECT_THAT(broken.out, HasSubstr("FAILED: net, score of operator code.lt_to_le: 1.0000"));
  EXPECT_THAT(broken.out, HasSubstr("FAILED: net, disagreement of devices: not measured"));
  EXPECT_EQ(Call({"analyze", folder_.string(), "--min-score", "20"}).status, 2);
  EXPECT_EQ(Call({"analyze", folder_.string(), "--max-disagreement", "2"}).status, 2);
  EXPECT_EQ(Call({"analyze", folder_.string(), "--kill", "nothing"}).status, 2);
}

TEST_F(ReadingTest, MarksLeaveTheScoreAndAreChecked) {
  auto mark = [&](const char* mutant) {
    return Call({"mark", folder_.string(), mutant, "--as", "equivalent", "--reason", "looked at"});
  };
  ExpectOneLine(mark("aa11"), 2,
                folder_.string() + ": mutant aa11 was detected; a mark says why one survives");
  EXPECT_EQ(mark("aa22").status, 0);
  EXPECT_EQ(Call({"mark", folder_.string(), "aa22", "--as", "good", "--reason", "x"}).status, 2);
  EXPECT_EQ(Call({"mark", folder_.string(), "aa22", "--as", "accepted", "--reason", " "}).status,
            2);
  std::ofstream(folder_ / "marks.txt", std::ios::app) << "gone accepted x\naa11 accepted y\n";
  Said said = Call({"analyze", folder_.string()});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.err, HasSubstr("no mutant gone in this campaign"));
  EXPECT_THAT(said.err, HasSubstr("mutant aa11 is marked accepted but was detected"));
}

TEST_F(ReadingTest, VerifyFindsChangedFiles) {
  std::string cat = (folder_ / "cat.jpg").string(), net = (folder_ / "net.onnx").string();
  std::ofstream(cat) << "cat";
  std::ofstream(net) << "net";
  {
    auto store = Store::Open(StorePath(folder_.string())).value();
    ASSERT_TRUE(store->PutModels({{"net", net, HashBytes("net"), "g", "[]"}}).ok());
    ASSERT_TRUE(
        store->PutImages({{"net", "cat.jpg", cat, HashBytes("cat"), 3, 0, "inputs/h.bin"}}).ok());
  }
  Said said = Call({"verify", folder_.string()});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(said.out, "2 hashes agree, 0 do not\n");
  std::ofstream(cat) << "dog";
  std::filesystem::remove(net);
  said = Call({"verify", folder_.string()});
  EXPECT_EQ(said.status, 7);
  EXPECT_THAT(said.out, HasSubstr("model net: " + net + ": no such file\n"));
  EXPECT_THAT(said.out, HasSubstr("image cat.jpg: " + cat + " has other content"));
}

TEST_F(ReadingTest, VerifyFindsChangedKernels) {
  fs::create_directories(folder_ / "kernels");
  fs::create_directories(folder_ / "cache" / "ab");
  std::ofstream(folder_ / "kernels" / "abc.so") << "code";
  std::ofstream(folder_ / "kernels" / "def.so") << "code";
  std::ofstream(folder_ / "cache" / "ab" / "k.json")
      << R"({"state": "ok", "library": "abc.so", "sum": ")" << HashBytes("code") << "\"}";
  {
    auto store = Store::Open(StorePath(folder_.string())).value();
    ASSERT_TRUE(
        store->PutPrograms({{"net", 0, R"({"kernels": [{"library": "kernels/abc.so"}]})"}}).ok());
    StoredBuild build{"net", "aa11", 0, "ok"};
    build.program_json = R"({"edit": {"kernels": [{"library": "kernels/def.so"}]}})";
    ASSERT_TRUE(store->PutBuilds({build}).ok());
  }
  Said said = Call({"verify", folder_.string()});
  EXPECT_THAT(said.out, Not(HasSubstr("kernels:")));
  EXPECT_THAT(said.out, HasSubstr("1 libraries of kernels have no entry in"));
  std::ofstream(folder_ / "kernels" / "abc.so") << "c0de";
  said = Call({"verify", folder_.string()});
  EXPECT_EQ(said.status, 7);
  EXPECT_THAT(said.out, HasSubstr("kernels: " + (folder_ / "kernels/abc.so").string() +
                                  " has other content than the campaign's"));
}

TEST_F(ReadingTest, VerifyFindsChangedLabels) {
  fs::create_directories(folder_ / "images");
  std::ofstream(folder_ / "images" / "cat.jpg") << "cat";
  std::ofstream(folder_ / "truth.tsv") << "cat.jpg\t3\n";
  std::ofstream(folder_ / "names.txt") << "dog\nfish\n";
  std::string net = (folder_ / "net.onnx").string();
  std::ofstream(net) << "net";
  {
    auto store = Store::Open(StorePath(folder_.string())).value();
    ASSERT_TRUE(store->PutModels({{"net", net, HashBytes("net"), "g", "[]"}}).ok());
    ASSERT_TRUE(store
                    ->PutImages({{"net", "cat.jpg", (folder_ / "images/cat.jpg").string(),
                                  HashBytes("cat"), 3, 0, "inputs/h.bin"}})
                    .ok());
    ASSERT_TRUE(store
                    ->SetMeta("configuration",
                              R"({"models": [{"name": "net", "path": "net.onnx",
                                  "classes": "names.txt"}],
                                  "images": {"path": "images", "truth": "truth.tsv"},
                                  "devices": [{"name": "host", "target": "llvm"}],
                                  "operators": [{"id": "code.relation"}]})")
                    .ok());
    ASSERT_TRUE(store->SetMeta("configuration_hash", "0").ok());
    ASSERT_TRUE(store->SetMeta("classes:net", R"(["dog","fish"])").ok());
  }
  Said said = Call({"verify", folder_.string()});
  EXPECT_THAT(said.out, HasSubstr("4 hashes agree, 1 do not\n"));  // the configuration's
  std::ofstream(folder_ / "truth.tsv") << "cat.jpg\t4\n";
  std::ofstream(folder_ / "names.txt") << "dog\nbird\n";
  said = Call({"verify", folder_.string()});
  EXPECT_THAT(said.out, HasSubstr("truth.tsv gives 1 images another class"));
  EXPECT_THAT(said.out, HasSubstr("names.txt has other names than the campaign's"));
}

TEST_F(ReadingTest, DiffComparesTwoFolders) {
  std::string json = (folder_ / "diff.json").string();
  Said said = Call({"diff", folder_.string(), folder_.string(), "--json", json});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("mutants: 2 matched by id, 0 by place, 0 only before"));
  EXPECT_TRUE(fs::exists(json));
  EXPECT_EQ(Call({"diff", folder_.string(), (folder_ / "none").string()}).status, 2);
}

TEST_F(ReadingTest, MergeJoinsFoldersOnce) {
  std::string out = (folder_ / "merged").string();
  Said said = Call({"merge", folder_.string(), folder_.string(), "--out", out});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(Call({"report", out, "--json", "-"}).out,
            Call({"report", folder_.string(), "--json", "-"}).out);
  ExpectOneLine(Call({"merge", folder_.string(), folder_.string(), "--out", out}), 2,
                out + ": holds a campaign already; name another folder");
  EXPECT_NE(Call({"merge", folder_.string(), "--out", out}).status, 0);
}

TEST_F(ReadingTest, ReadingLoadsNoCompiler) {
  Call({"report", folder_.string(), "--json", "-"});
  Call({"show", folder_.string(), "aa1"});
  std::ifstream maps("/proc/self/maps");
  std::stringstream text;
  text << maps.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("libtvm_runtime"));
  EXPECT_THAT(text.str(), Not(HasSubstr("libtvm_compiler")));
}

TEST_F(ReadingTest, AFileThatIsNoCampaignIsRefused) {
  fs::path other = folder_ / "other";
  fs::create_directories(other);
  std::ofstream(other / "campaign.db")
      << "this is no database, but it is long enough to look like one";
  Said said = Call({"report", other.string()});
  EXPECT_EQ(said.status, 2) << said.err;
  EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1);
}

}  // namespace
}  // namespace mutatenn
