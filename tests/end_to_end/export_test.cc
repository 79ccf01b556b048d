// Mutants for other programs: whatever form one is exported in, TVM without mutatenn finds with it
// what the campaign found.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/files.h"
#include "base/hash.h"
#include "judge/top_json.h"
#include "store/store.h"
#include "support/run.h"

namespace mutatenn {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// One campaign for all tests here.
class Exported : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new Scratch;
    const std::string campaign = MakeTinyCampaign(
        scratch_->path,
        {{"matrix", "full"},
         {"max_mutants", 0},
         {"operators",
          {{{"id", "graph.arithmetic"}},
           {{"id", "graph.activation"}},
           {{"id", "code.arithmetic_value"}, {"positions", "start"}},
           {{"id", "code.arithmetic_value"}, {"scope", "step"}, {"positions", "start"}},
           {{"id", "lowered.relation"}, {"positions", "start"}},
           {{"id", "build.fusion"}, {"positions", "start"}}}}});
    const RunResult run = Mutatenn({"run", campaign, "--out", *scratch_ / "out", "--quiet"});
    ASSERT_EQ(run.status, 0) << run.err;
    store_ = Store::OpenReadOnly(StorePath(*scratch_ / "out")).value().release();
  }
  static void TearDownTestSuite() {
    delete store_;
    delete scratch_;
  }

  static std::string Folder() { return *scratch_ / "out"; }
  static std::string Model() { return store_->Models().value().at(0).name; }
  static std::string Device() { return store_->Devices().value().at(0).name; }

  // Mutants of a level that ran to their end everywhere on the first device.
  static std::vector<StoredMutant> MutantsAt(const std::string& level) {
    std::vector<StoredMutant> found;
    const std::vector<StoredMutant> all = store_->Mutants(Model()).value();
    for (const StoredMutant& mutant : all) {
      const auto fates = Fates(mutant.id);
      if (mutant.level == level && !fates.empty() &&
          std::all_of(fates.begin(), fates.end(),
                      [](const StoredFate& fate) { return fate.ending == "ok"; }))
        found.push_back(mutant);
    }
    return found;
  }
  static std::vector<StoredFate> Fates(const std::string& mutant) {
    const std::vector<StoredFate> all = store_->FatesOf(Model(), mutant).value();
    std::vector<StoredFate> own;
    for (const StoredFate& fate : all)
      if (fate.device == Device()) own.push_back(fate);
    return own;
  }
  static RunResult Export(const StoredMutant& mutant, const std::string& as,
                          const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"export", Folder(), mutant.id, "--as", as, "--out", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Mutatenn(arguments);
  }

  // 1e-4 of the largest output: another schedule adds in another order.
  static void ExpectFates(const std::string& kind, const std::string& file,
                          const std::string& mutant) {
    Json inputs = Json::object();
    const std::vector<StoredImage> images = store_->Images(Model()).value();
    for (const StoredImage& image : images) inputs[image.name] = Folder() + "/" + image.input_file;
    const RunResult python = Python((SourceDirectory() / "tests/support/run_export.py").string(),
                                    {kind, file, inputs.dump()});
    ASSERT_EQ(python.status, 0) << python.err;
    const Json outputs = ParseJson(python.out, "run_export.py").value();
    int compared = 0;
    for (const StoredFate& fate : Fates(mutant)) {
      const auto values = outputs.at(fate.image).get<std::vector<double>>();
      double largest = 0;
      for (double value : values) largest = std::max(largest, std::abs(value));
      const std::vector<Ranked> top = TopFromText(fate.top_json, "fate").value();
      for (const Ranked& ranked : top) {
        EXPECT_NEAR(values.at(static_cast<size_t>(ranked.label)), ranked.score, 1e-4 * largest)
            << fate.image;
        ++compared;
      }
    }
    EXPECT_GE(compared, 30);  // five of ten classes on six images
  }

  static Scratch* scratch_;
  static Store* store_;
};
Scratch* Exported::scratch_ = nullptr;
Store* Exported::store_ = nullptr;

TEST_F(Exported, ModulesAndLibrariesGiveTheCampaignsFates) {
  for (const char* level : {"graph", "code", "lowered"}) {
    const auto mutants = MutantsAt(level);
    ASSERT_FALSE(mutants.empty()) << level;
    const size_t count = std::min<size_t>(mutants.size(), 2);
    for (size_t i = 0; i < count; ++i) {
      const StoredMutant& mutant = mutants[i * (mutants.size() - 1)];  // the first, the last
      SCOPED_TRACE(mutant.place);
      for (const std::string as : {"irmodule", "library"}) {
        SCOPED_TRACE(as);
        const std::string file = *scratch_ / (mutant.id + (as == "library" ? ".so" : ".json"));
        const RunResult exported = Export(mutant, as, file);
        if (as == "irmodule" && std::string(level) == "lowered") {
          EXPECT_NE(exported.status, 0);
          EXPECT_THAT(exported.err, HasSubstr("is of level lowered"));
          EXPECT_EQ(std::count(exported.err.begin(), exported.err.end(), '\n'), 1);
          continue;
        }
        ASSERT_EQ(exported.status, 0) << exported.err;
        ExpectFates(as, file, mutant.id);
      }
    }
  }
}

TEST_F(Exported, AMutantOfTheBuildIsRefusedInOneLine) {
  const auto mutants = MutantsAt("build");
  ASSERT_FALSE(mutants.empty());
  for (const char* as : {"irmodule", "library", "script"}) {
    const RunResult exported = Export(mutants[0], as, *scratch_ / "none");
    EXPECT_NE(exported.status, 0);
    EXPECT_THAT(exported.err, HasSubstr("level build"));
    EXPECT_FALSE(fs::exists(*scratch_ / "none"));
  }
}

TEST_F(Exported, TheScriptFindsTheSameLabels) {
  for (const char* level : {"graph", "code", "lowered"}) {
    const StoredMutant mutant = MutantsAt(level).at(0);
    const std::string file = *scratch_ / (mutant.id + ".py");
    const std::string image = Fates(mutant.id).back().image;
    const RunResult exported = Export(mutant, "script", file, {"--image", image});
    ASSERT_EQ(exported.status, 0) << exported.err;
    const RunResult run = Python(file, {});
    EXPECT_EQ(run.status, 0) << run.out << run.err;
    EXPECT_THAT(run.out, HasSubstr("image " + image));
    EXPECT_THAT(run.out, HasSubstr("\nas the campaign found it\n"));
    // Told another label, it says so.
    std::string text = ReadFile(file).value();
    const std::string label = "'mutant': [[";
    const size_t at = text.find(label);
    ASSERT_NE(at, std::string::npos);
    ASSERT_TRUE(WriteFile(file, text.insert(at + label.size(), "1")).ok());
    EXPECT_EQ(Python(file, {}).status, 1);
  }
}

TEST_F(Exported, AReplayRepeatsTheFatesAnywhere) {
  for (const char* level : {"graph", "code", "lowered", "build"}) {
    const StoredMutant mutant = MutantsAt(level).at(0);
    SCOPED_TRACE(mutant.place);
    const std::string file = *scratch_ / (mutant.id + ".tar.zst");
    std::vector<std::string> images;
    for (const StoredFate& fate : Fates(mutant.id)) {
      images.insert(images.end(), {"--image", fate.image});
    }
    const RunResult exported = Export(mutant, "replay", file, images);
    ASSERT_EQ(exported.status, 0) << exported.err;
    // No compiler, no Python, no campaign.
    const RunResult replayed =
        Mutatenn({"replay", file}, {.environment = {{"MUTATENN_PYTHON", "/nonexistent"}}});
    EXPECT_EQ(replayed.status, 0) << replayed.out << replayed.err;
    size_t same = 0;
    for (size_t at = 0; (at = replayed.out.find("; the same\n", at)) != std::string::npos; ++at)
      ++same;
    EXPECT_EQ(same, Fates(mutant.id).size()) << replayed.out;
    EXPECT_THAT(replayed.out, HasSubstr("mutant " + mutant.id));
    // As a script, which has TVM's own import of the model inside.
    const std::string script = *scratch_ / (mutant.id + ".replayed.py");
    const RunResult written = Mutatenn({"replay", file, "--as-script", script});
    if (std::string(level) == "build") {
      EXPECT_EQ(written.status, 4);
      EXPECT_THAT(written.err, HasSubstr("level build"));
      continue;
    }
    ASSERT_EQ(written.status, 0) << written.err;
    const RunResult run = Python(script, {});
    EXPECT_EQ(run.status, 0) << run.out << run.err;
    EXPECT_THAT(run.out, HasSubstr("\nas the campaign found it\n"));
  }
}

// What the worker measured of the outputs when the mutant ran is where the growth ends.
TEST_F(Exported, GrowthEndsInTheFatesDifference) {
  const std::string copy = *scratch_ / "grown";
  fs::copy(Folder(), copy, fs::copy_options::recursive);
  std::vector<std::string> arguments = {"growth", copy, "--top", "0", "--quiet"};
  std::map<std::string, std::map<std::string, StoredFate>> fates;  // by mutant and image
  for (const char* level : {"graph", "code", "lowered"})
    for (const StoredMutant& mutant : MutantsAt(level)) {
      bool found = false;
      for (const StoredFate& fate : Fates(mutant.id)) {
        fates[mutant.id][fate.image] = fate;
        found |= fate.infected && !fate.nonfinite;
      }
      if (!found) {
        fates.erase(mutant.id);
        continue;
      }
      arguments.push_back(mutant.id.substr(0, 12));
      break;
    }
  ASSERT_EQ(fates.size(), 3u);
  const RunResult run = Mutatenn(arguments, {.environment = {{"MUTATENN_PYTHON", "/nonexistent"}}});
  ASSERT_EQ(run.status, 0) << run.err;
  std::map<std::string, std::vector<StoredGrowth>> rows;  // by mutant
  const auto stored = Store::OpenReadOnly(StorePath(copy)).value()->Growth(Model()).value();
  for (const StoredGrowth& row : stored)
    if (row.device == Device()) rows[row.mutant].push_back(row);
  for (const auto& [mutant, own] : fates) {
    SCOPED_TRACE(mutant);
    const std::vector<StoredGrowth>& grown = rows[mutant];
    ASSERT_FALSE(grown.empty());
    const StoredFate& fate = own.at(grown.front().image);
    EXPECT_TRUE(fate.infected);
    EXPECT_NEAR(grown.back().total, fate.max_abs_diff, 1e-5 * fate.max_abs_diff);
    const auto first = std::find_if(grown.begin(), grown.end(),
                                    [](const StoredGrowth& row) { return row.total > 0; });
    ASSERT_NE(first, grown.end());
    EXPECT_EQ(first->layer, fate.first_layer);
    EXPECT_EQ(first->local, first->total);  // it is the mutated step
  }
  const RunResult page = Mutatenn({"report", copy, "--format", "html", "--out", "-"});
  EXPECT_THAT(page.out, HasSubstr("<figure data-mutant=\"" + fates.begin()->first));
  EXPECT_EQ(Mutatenn({"growth", copy, "0123456789"}).status, 2);
}

TEST_F(Exported, VerifyKnowsToolCompilerAndBundles) {
  const RunResult good = Mutatenn({"verify", Folder()});
  EXPECT_EQ(good.status, 0) << good.out << good.err;
  const std::string copy = *scratch_ / "verified";
  fs::copy(Folder(), copy, fs::copy_options::recursive);
  ASSERT_TRUE(WriteFile(copy + "/other", "bundle").ok());
  auto store = Store::Open(StorePath(copy)).value();
  EXPECT_NE(store->Meta("tvm_hashes").value().value_or("").find("libtvm_compiler.so"),
            std::string::npos);
  ASSERT_TRUE(store->AddEvent("bundle", "b for d, " + HashBytes("bundle")).ok());
  EXPECT_EQ(Mutatenn({"verify", copy, "--bundle", copy + "/other"}).status, 0);
  ASSERT_TRUE(store->SetMeta("tool_hash", "0").ok());
  ASSERT_TRUE(store->SetMeta("tvm_hashes", R"({"libtvm_compiler.so": "0"})").ok());
  ASSERT_TRUE(WriteFile(copy + "/other", "another").ok());
  const RunResult bad = Mutatenn({"verify", copy, "--bundle", copy + "/other"});
  EXPECT_EQ(bad.status, 7);
  EXPECT_THAT(bad.out, HasSubstr("mutatenn: this one has the hash "));
  EXPECT_THAT(bad.out, HasSubstr("TVM: libtvm_compiler.so is not the one"));
  EXPECT_THAT(bad.out, HasSubstr("other is none that the campaign made or imported"));
  EXPECT_THAT(bad.out, HasSubstr(", 3 do not"));
}

TEST_F(Exported, AReplayThatDiffersSaysSo) {
  const StoredMutant mutant = MutantsAt("graph").at(0);
  const std::string file = *scratch_ / "other.tar.zst", folder = *scratch_ / "other";
  ASSERT_EQ(Export(mutant, "replay", file).status, 0);
  fs::create_directories(folder);
  ASSERT_EQ(mutatenn::Run({"tar", "--zstd", "-xf", file, "-C", folder}).status, 0);
  Json bundle = LoadJson(folder + "/bundle.json");
  for (auto& [image, fate] : bundle["replay"]["fates"].items()) fate["top"][0][0] = 77;
  ASSERT_TRUE(WriteFile(folder + "/bundle.json", bundle.dump()).ok());
  ASSERT_EQ(mutatenn::Run({"tar", "--zstd", "-cf", file, "-C", folder, "."}).status, 0);
  const RunResult replayed = Mutatenn({"replay", file});
  EXPECT_EQ(replayed.status, 7) << replayed.err;
  EXPECT_THAT(replayed.out, HasSubstr("DIFFERENT, the campaign found ok, label 77"));
}

TEST_F(Exported, AnAuditAgreesAndFindsWhatWasChanged) {
  const RunResult audit = Mutatenn({"audit", Folder(), "--sample", "12", "--seed", "3", "--quiet"});
  EXPECT_EQ(audit.status, 0) << audit.out << audit.err;
  EXPECT_THAT(audit.out, HasSubstr("fates redone, 12 agree, 0 do not\n"));
  // A copy of the campaign in which every fate has another label.
  const std::string copy = *scratch_ / "copy";
  fs::copy(Folder(), copy, fs::copy_options::recursive);
  {
    auto store = Store::Open(StorePath(copy)).value();
    std::vector<StoredFate> fates = store->Fates(Model(), Device()).value();
    for (StoredFate& fate : fates)
      if (fate.ending == "ok") fate.top_json = "[[77,1.0]]";
    ASSERT_TRUE(store->PutFates(fates, std::nullopt).ok());
  }
  const RunResult found = Mutatenn({"audit", copy, "--sample", "6", "--seed", "3", "--quiet"});
  EXPECT_EQ(found.status, 7) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr("the campaign found ok, label 77"));
}

// In the public format, which its viewers read: tests/support/mutation_testing_schema.json, which
// asks for more than the published schema, and that one where MUTATENN_PUBLISHED_SCHEMA names it.
TEST_F(Exported, ThePublicReportKeepsItsSchema) {
  const std::string file = *scratch_ / "public.json";
  ASSERT_EQ(Mutatenn({"report", Folder(), "--format", "mutation-testing", "--out", file}).status,
            0);
  const std::string validate = (SourceDirectory() / "tests/support/validate.py").string();
  const std::string schema =
      (SourceDirectory() / "tests/support/mutation_testing_schema.json").string();
  const RunResult result = Python(validate, {schema, file});
  if (result.status == 77) GTEST_SKIP() << "skipped: no jsonschema; run tools/setup";
  EXPECT_EQ(result.status, 0) << result.out;
  std::vector<std::string> schemas = {schema};
  if (const char* published = std::getenv("MUTATENN_PUBLISHED_SCHEMA")) {
    schemas.push_back(published);
    const RunResult good = Python(validate, {published, file});
    EXPECT_EQ(good.status, 0) << good.out;
  }
  Json report = LoadJson(file);
  auto& mutants = report["files"].begin().value()["mutants"];
  mutants[0]["status"] = "Dead";
  mutants[0]["location"]["start"]["line"] = 0;
  ASSERT_TRUE(WriteFile(file, report.dump()).ok());
  for (const std::string& each : schemas) {
    const RunResult broken = Python(validate, {each, file});
    EXPECT_EQ(broken.status, 1);
    EXPECT_EQ(std::count(broken.out.begin(), broken.out.end(), '\n'), 2) << broken.out;
  }
}

}  // namespace
}  // namespace mutatenn
