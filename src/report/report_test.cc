// The reports of the hand-written campaign (analysis/synthetic_campaign.h) against values counted
// by hand, and against themselves when the same campaign was written in another order.
#include "report/report.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"
#include "base/files.h"
#include "base/json.h"

namespace mutatenn {
namespace {
namespace fs = std::filesystem;

using Matrix = SyntheticCampaign::Matrix;

void Write(const std::string& format, Store& store, const std::string& destination) {
  const Report* report = FindReport(format);
  ASSERT_NE(report, nullptr) << format;
  auto view = ReadCampaign(store, {.keep_fates = report->keep_fates});
  ASSERT_TRUE(view.ok()) << view.error().message;
  Status written = report->write(*view, destination);
  ASSERT_TRUE(written.ok()) << written.error().message;
}

std::string Text(const std::string& path) {
  auto text = ReadFile(path);
  if (!text.ok()) ADD_FAILURE() << text.error().message;
  return text.ok() ? *text : "";
}

Json JsonFile(const std::string& path) {
  auto json = ParseJson(Text(path), path);
  if (!json.ok()) ADD_FAILURE() << json.error().message;
  return json.ok() ? *json : Json();
}

Json JsonReport(Matrix matrix) {
  SyntheticCampaign campaign(matrix);
  std::string file = campaign.folder() + "/report.json";
  Write("json", campaign.store(), file);
  return JsonFile(file);
}

const Json& Mutant(const Json& report, const std::string& id) {
  for (const Json& mutant : report["models"][0]["mutants"]) {
    if (mutant["id"] == id) return mutant;
  }
  ADD_FAILURE() << "no mutant " << id;
  std::abort();
}

std::vector<std::string> Keys(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST(Reports, AreRegisteredOnceAndSorted) {
  std::vector<std::string> names;
  for (const Report* report : AllReports()) {
    names.push_back(report->name);
    EXPECT_FALSE(report->summary.empty());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"audit", "csv", "dataset", "html", "json", "junit",
                                             "markdown", "mutation-testing", "paper", "summary",
                                             "times"}));
  EXPECT_EQ(FindReport("pdf"), nullptr);
}

TEST(JsonReport, KeysAreStable) {
  Json report = JsonReport(Matrix::kEarly);
  EXPECT_EQ(Keys(report), (std::vector<std::string>{"campaign", "devices", "models"}));
  EXPECT_EQ(
      Keys(report["campaign"]),
      (std::vector<std::string>{"id", "tool_version", "tvm_version", "config_hash", "rules_version",
                                "matrix", "kill", "top_k", "seed", "level"}));
  EXPECT_EQ(Keys(report["models"][0]),
            (std::vector<std::string>{"name", "images", "original", "noise", "points",
                                      "mutant_counts", "mutants_selected", "scores", "matrix",
                                      "survivors", "effects", "over_devices", "device_comparison",
                                      "compiler_findings", "mutants", "device_noise", "growth"}));
  const Json& mutant = Mutant(report, "k1");
  EXPECT_EQ(Keys(mutant), (std::vector<std::string>{"id", "operator", "category", "parameters",
                                                    "place", "points", "mark", "devices"}));
  EXPECT_EQ(Keys(mutant["points"][0]),
            (std::vector<std::string>{"level", "layers", "kernel", "block", "index", "variant"}));
  EXPECT_EQ(
      Keys(mutant["devices"]["base"]),
      (std::vector<std::string>{"verdict", "reason", "degenerate", "out_of_bounds", "nonfinite",
                                "images_planned", "images_compared", "images_differing",
                                "images_correct", "first_diverging_layer", "seconds", "same_as"}));
}

TEST(JsonReport, ValuesCountedByHand) {
  Json report = JsonReport(Matrix::kEarly);
  EXPECT_EQ(report["campaign"]["id"], "c0ffee");
  EXPECT_EQ(report["campaign"]["seed"], 1);
  EXPECT_EQ(report["devices"][0]["name"], "base");
  EXPECT_EQ(report["devices"][1]["target"]["mcpu"], "host");
  const Json& model = report["models"][0];
  EXPECT_EQ(model["name"], "Net");
  EXPECT_EQ(model["original"].size(), 8u);
  EXPECT_EQ(DumpJson(model["original"][0]),
            R"({"device":"base","image":"c.jpg","top1":1,"top_k":[{"label":1,"score":2.5},)"
            R"({"label":101,"score":1.5}],"correct":true})");
  EXPECT_EQ(model["original"][2]["correct"], false);       // d: 9, truth 3
  EXPECT_TRUE(model["original"][3]["correct"].is_null());  // b: truth not known
  EXPECT_EQ(DumpJson(model["points"]), R"({"code.lt_to_le":3,"graph.arithmetic":5})");
  EXPECT_EQ(DumpJson(model["mutant_counts"]), R"({"code.lt_to_le":3,"graph.arithmetic":4})");
  EXPECT_EQ(DumpJson(model["mutants_selected"]), R"({"code.lt_to_le":3,"graph.arithmetic":3})");
  EXPECT_EQ(model["mutants"].size(), 6u);
  EXPECT_EQ(model["scores"]["devices"]["base"]["score"], 0.75);
  EXPECT_EQ(model["scores"]["devices"]["base"]["n"], 4);
  EXPECT_EQ(model["scores"]["devices"]["host"]["score"], 0.5);
  const Json& overall = model["scores"]["overall"];
  EXPECT_EQ(overall["score"], 0.75);
  EXPECT_NEAR(overall["interval"][0].get<double>(), 0.30064184258240184, 1e-12);
  EXPECT_NEAR(overall["left_out"].get<double>(), 2 / 6.0, 1e-12);
  EXPECT_NEAR(overall["population"]["score"].get<double>(), (2 + 4 / 3.0) / (3 + 4 / 3.0), 1e-12);
  EXPECT_TRUE(overall["interval_over_images"].is_null());         // early: not measured
  EXPECT_EQ(overall["out_of_bounds_as_crashed"]["detected"], 3);  // x1 crashed anyway
  EXPECT_TRUE(model["scores"]["devices"]["base"]["out_of_bounds_as_crashed"].is_object());
  EXPECT_TRUE(model["scores"]["categories"]["AN"]["overall"]["out_of_bounds_as_crashed"].is_null());
  EXPECT_TRUE(model["matrix"]["base"].is_null());
  EXPECT_EQ(model["survivors"]["base"][0]["mutant"], "s1");
  EXPECT_EQ(DumpJson(model["over_devices"]["killed"]),
            R"({"everywhere":1,"some":2,"nowhere":1,"not compared":2})");
  EXPECT_EQ(DumpJson(model["over_devices"]["killed_only_on"]), R"({"base":1,"host":1})");
  EXPECT_EQ(model["scores"]["overall"]["counts"]["pending"], 1);
  EXPECT_EQ(model["scores"]["operators"]["code.lt_to_le"]["devices"]["host"]["n"], 3);
  EXPECT_EQ(DumpJson(Mutant(report, "k1")["devices"]["base"]),
            R"({"verdict":"killed","reason":"label 2 -> 7 on a.jpg","degenerate":false,)"
            R"("out_of_bounds":null,"nonfinite":false,"images_planned":4,"images_compared":2,)"
            R"("images_differing":null,"images_correct":null,"first_diverging_layer":"conv2",)"
            R"("seconds":0.04,"same_as":null})");
  EXPECT_EQ(
      DumpJson(Mutant(report, "e1")["devices"]["host"]),
      R"({"verdict":"stillborn","reason":"cannot lower","degenerate":null,"out_of_bounds":null,)"
      R"("nonfinite":null,"images_planned":4,"images_compared":0,"images_differing":null,)"
      R"("images_correct":null,"first_diverging_layer":null,"seconds":null,"same_as":null})");
  EXPECT_EQ(DumpJson(Mutant(report, "x1")["devices"]["host"]["out_of_bounds"]),
            R"({"step":"conv3","buffer":"input 0","offset":-64})");
}

TEST(JsonReport, FullMatrixHasNumbersWhereEarlyHasNull) {
  Json on_base = Mutant(JsonReport(Matrix::kFull), "k1")["devices"]["base"];
  EXPECT_EQ(on_base["images_compared"], 4);
  EXPECT_EQ(on_base["images_differing"], 2);
  EXPECT_EQ(on_base["images_correct"], 2);
}

TEST(JsonReport, EmptyCampaignIsNoScoreOfZero) {
  TemporaryFolder folder;
  auto store = Store::Open(StorePath(folder.path)).value();
  ASSERT_TRUE(store->PutModels({{"Net", "net.onnx", "h", "g", "[]"}}).ok());
  Write("json", *store, folder.path + "/r.json");
  Json report = JsonFile(folder.path + "/r.json");
  EXPECT_TRUE(report["campaign"]["id"].is_null());
  EXPECT_TRUE(report["models"][0]["scores"]["overall"]["score"].is_null());
  EXPECT_EQ(report["models"][0]["scores"]["overall"]["n"], 0);
  EXPECT_EQ(DumpJson(report["models"][0]["mutants"]), "[]");
  EXPECT_EQ(DumpJson(report["models"][0]["points"]), "{}");
}

// The same rows put again, one by one, in another order: as after kills and resumes.
TEST(JsonReport, DoesNotShowHowTheCampaignWasRun) {
  SyntheticCampaign campaign(Matrix::kEarly);
  std::string file = campaign.folder() + "/a.json";
  Write("json", campaign.store(), file);
  TemporaryFolder folder;
  auto copy = Store::Open(StorePath(folder.path)).value();
  Store& store = campaign.store();
  for (const auto& keys : kMetaKeys) {
    auto value = store.Meta(keys.front()).value();
    if (!value) continue;
    ASSERT_TRUE(copy->SetMeta(keys.front(), *value).ok());
  }
  for (const char* device : {"host", "base"}) {
    auto fates = store.Fates("Net", device).value();
    for (auto fate = fates.rbegin(); fate != fates.rend(); ++fate) {
      ASSERT_TRUE(copy->PutFates({*fate}, std::nullopt).ok());
    }
  }
  auto bounds = store.OutOfBoundsOf("Net").value();
  for (const auto& row : bounds) ASSERT_TRUE(copy->PutFates({}, row).ok());
  auto reversed = [](auto rows) { return decltype(rows)(rows.rbegin(), rows.rend()); };
  ASSERT_TRUE(copy->PutOriginals(reversed(store.Originals("Net").value())).ok());
  ASSERT_TRUE(copy->PutRepeats(reversed(store.Repeats("Net").value())).ok());
  ASSERT_TRUE(copy->PutBuilds(reversed(store.Builds("Net").value())).ok());
  ASSERT_TRUE(copy->PutOperatorUses(reversed(store.OperatorUses().value())).ok());
  ASSERT_TRUE(copy->PutMutants(reversed(store.Mutants("Net").value())).ok());
  ASSERT_TRUE(copy->PutDevices(reversed(store.Devices().value())).ok());
  ASSERT_TRUE(copy->PutImages(reversed(store.Images("Net").value())).ok());
  ASSERT_TRUE(copy->PutModels(store.Models().value()).ok());
  Write("json", *copy, folder.path + "/b.json");
  EXPECT_EQ(Text(file), Text(folder.path + "/b.json"));
}

TEST(PaperReport, WritesTheOriginalToolsTree) {
  SyntheticCampaign campaign(Matrix::kFull);
  TemporaryFolder folder;
  Write("paper", campaign.store(), folder.path);
  std::string root = folder.path + "/Net";
  std::string k1 = "code_lt_to_le_k1_opt3", x1 = "code_lt_to_le_x1_opt3",
              p1 = "graph_arithmetic_p1_opt3", t1 = "graph_arithmetic_t1_opt3";
  EXPECT_EQ(Text(root + "/base/" + k1 + "/mutations/ts_0_base0/a.txt"),
            "7, 2.500000\n107, 1.500000\n\n0.020000\n");
  EXPECT_EQ(Text(root + "/host/model_original_opt3/mutations/ts_0_host0/b.txt"),
            "5, 2.500000\n105, 1.500000\n\n0.011000\n");
  EXPECT_EQ(Text(root + "/base/" + k1 + "/mutations/ts_0_base0/execution_log.txt"),
            "Model " + k1 + " execution time:  0.08 seconds\n");
  // A crash is a folder without images; what was never run has no folder.
  std::string crashed = root + "/base/" + x1 + "/mutations/ts_0_base0";
  EXPECT_EQ(std::distance(fs::directory_iterator(crashed), {}), 1);
  EXPECT_FALSE(fs::exists(root + "/base/graph_arithmetic_e1_opt3"));

  Json evaluation = JsonFile(root + "/device_evaluation.json");
  EXPECT_EQ(Keys(evaluation),
            (std::vector<std::string>{k1, "code_lt_to_le_s1_opt3", x1, p1, t1,
                                      "model_original_opt3", "total_images_dissimilar"}));
  const Json& pair = evaluation["model_original_opt3"][0];
  EXPECT_EQ(pair["base"], "base");
  EXPECT_EQ(pair["evaluated"], "host");
  EXPECT_EQ(evaluation["model_original_opt3"].size(), 2u);  // both orders
  const Json& comparison = pair["comparison"];
  EXPECT_EQ(comparison["total_no_of_images"], 4);
  EXPECT_EQ(comparison["no_of_images_dissimilar"], "1");
  EXPECT_EQ(comparison["percentage_dissimilar"], "25.0");
  EXPECT_EQ(comparison["percentage_similar"], "75.0");
  EXPECT_EQ(DumpJson(comparison["images_dissimilar"]), R"(["b.txt"])");
  EXPECT_NEAR(comparison["total_exec_time"].get<double>(), 0.046, 1e-12);
  EXPECT_NEAR(comparison["average_orig_exec_time"].get<double>(), 0.0115, 1e-12);
  EXPECT_NEAR(comparison["oneway_exec_time"]["p-value"].get<double>(), 1, 1e-9);  // equal times
  EXPECT_EQ(evaluation[k1][0]["comparison"]["percentage_dissimilar"], "100.0");
  EXPECT_EQ(evaluation[t1][0]["comparison"]["total_no_of_images"], 3);  // without d
  EXPECT_EQ(DumpJson(evaluation[x1]), "[]");
  // b: k1, s1, t1, original, each in two orders = 8 occurrences, the first counting 0.
  EXPECT_EQ(evaluation["total_images_dissimilar"]["b.txt"], 7);
  EXPECT_EQ(evaluation["total_images_dissimilar"]["c.txt"], 1);

  Json discrepancies = JsonFile(root + "/device_discrepancies.json");
  EXPECT_EQ(DumpJson(discrepancies[x1]), R"([{"type":"full_crash"}])");
  EXPECT_EQ(
      DumpJson(discrepancies["model_original_opt3"][0]),
      R"({"base":"base","evaluated":"host","percentage_dissimilar":"25.0","type":"discrepancy"})");

  Json same = JsonFile(root + "/base/same_folder.json");
  EXPECT_EQ(same["comparisons"].size(), 4u);  // k1, s1, t1, p1 gave outputs on base
  EXPECT_EQ(same["comparisons"][0]["base"], "model_original_opt3");
  EXPECT_EQ(same["comparisons"][0]["evaluated"], k1);
  EXPECT_EQ(same["comparisons"][0]["comparison"]["no_of_images_dissimilar"], "2");
  EXPECT_FALSE(same["comparisons"][0]["comparison"].contains("average_exec_time"));
  EXPECT_NEAR(same["times"][k1]["total_exec_time"].get<double>(), 0.08, 1e-12);

  std::string csv = Text(root + "/Net_output_stats_total_1.csv");
  EXPECT_EQ(csv.substr(0, csv.find('\n')), "lib,device1,device2,p-value,statistic,significant");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 4 * 2);  // original, k1, s1, t1
  EXPECT_NE(csv.find("\n" + k1 + ",base,host,NaN,NaN,no\n"), std::string::npos) << csv;
}

TEST(PaperReport, CrashOnOneDeviceOnly) {
  SyntheticCampaign campaign(Matrix::kEarly);
  StoredFate ran{"Net", "x1", "host", "c.jpg", "ok", SyntheticCampaign::Top(1)};
  ASSERT_TRUE(campaign.store().PutFates({ran}, std::nullopt).ok());
  TemporaryFolder folder;
  Write("paper", campaign.store(), folder.path);
  Json discrepancies = JsonFile(folder.path + "/Net/device_discrepancies.json");
  EXPECT_EQ(DumpJson(discrepancies["code_lt_to_le_x1_opt3"][0]),
            R"({"base":"base","evaluated":"host","no_of_images":0,"type":"crash"})");
}

TEST(PaperReport, NeedsAFolder) {
  SyntheticCampaign campaign(Matrix::kEarly);
  Status written = FindReport("paper")->write(ReadCampaign(campaign.store()).value(), "-");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Code::kInvalidInput);
  std::ofstream(campaign.folder() + "/file") << "in the way";
  written = FindReport("paper")->write(ReadCampaign(campaign.store()).value(),
                                       campaign.folder() + "/file");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Code::kIo);
}

TEST(SummaryReport, BeginsWithWhatIsWrongWithDevices) {
  SyntheticCampaign campaign(Matrix::kEarly);
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(campaign.store().AddEvent("finding", "the original of Net on host: NaN").ok());
  ASSERT_TRUE(campaign.store().AddEvent("device", "host: lost tcp://b:1: closed").ok());
  ASSERT_TRUE(campaign.store().AddEvent("device", "host: quarantined tcp://b:1 after 3").ok());
  const std::string file = campaign.folder() + "/found";
  Write("summary", campaign.store(), file);
  EXPECT_TRUE(
      Text(file).starts_with("findings about devices:\n"
                             "  the original of Net on host: NaN\n"
                             "  host: quarantined tcp://b:1 after 3\n"
                             "Net: "))
      << Text(file);
  Write("html", campaign.store(), file);
  EXPECT_NE(Text(file).find("Findings about devices"), std::string::npos);
}

TEST(SummaryReport, HasTheCountsScoresAndDisagreements) {
  SyntheticCampaign campaign(Matrix::kEarly);
  std::string file = campaign.folder() + "/summary.txt";
  Write("summary", campaign.store(), file);
  std::string text = Text(file);
  EXPECT_NE(text.find("Net: 4 images, 6 mutants (a sample of 7)\n"), std::string::npos) << text;
  std::set<std::string> lines;
  std::string line;
  for (std::istringstream stream(text); std::getline(stream, line);) {
    std::string squeezed;
    std::istringstream words(line);
    for (std::string word; words >> word;) squeezed += (squeezed.empty() ? "" : " ") + word;
    lines.insert(squeezed);
  }
  for (const char* expected :
       {"operator device killed crashed timeout survived equivalent stillborn unstable pending "
        "score n 95 %",
        "code.lt_to_le base 1 1 0 1 0 0 0 0 66.7 % 3 20.8-93.9",
        "graph.arithmetic base 0 0 1 0 1 0 0 1 100.0 % 1 20.7-100.0",
        "host 0 0 0 1 0 1 0 1 0.0 % 1 0.0-79.3", "all base 1 1 1 1 1 0 0 1 75.0 % 4 30.1-95.4",
        "any device 1 1 1 1 1 0 0 1 75.0 % 4 30.1-95.4",
        "original on base: ran on 4 of 4 images, right on 2 of 3",
        "mutants on base: 1 out of bounds, 1 nonfinite, 0 degenerate"}) {
    EXPECT_TRUE(lines.count(expected)) << expected << "\n" << text;
  }
  EXPECT_NE(
      text.find("original's label differs on 1 of 4 images; verdicts differ for 2 of 5 mutants"),
      std::string::npos)
      << text;
}

// s1 as a mutant of level build whose outputs on one image are 0.01 off, of 2.5.
TEST(Reports, ListFindingsAboutTheCompiler) {
  SyntheticCampaign campaign(Matrix::kEarly);
  Store& store = campaign.store();
  std::vector<StoredMutant> mutants = store.Mutants("Net").value();
  for (StoredMutant& mutant : mutants)
    if (mutant.id == "s1") mutant.level = "build";
  ASSERT_TRUE(store.PutMutants(mutants).ok());
  std::vector<StoredFate> fates = store.FatesOf("Net", "s1").value();
  for (StoredFate& fate : fates)
    if (fate.device == "host") fate.max_abs_diff = fate.image == "d.jpg" ? 0.01 : 0.002;
  ASSERT_TRUE(store.PutFates(fates, std::nullopt).ok());
  const std::string file = campaign.folder() + "/report";
  Write("json", store, file);
  const Json report = ParseJson(Text(file), file).value();
  const Json& findings = report["models"][0]["compiler_findings"];
  ASSERT_EQ(findings.size(), 1u) << findings;
  EXPECT_EQ(Keys(findings[0]), (std::vector<std::string>{"mutant", "operator", "device", "points",
                                                         "image", "max_abs_diff", "tolerance"}));
  EXPECT_EQ(findings[0]["mutant"], "s1");
  EXPECT_EQ(findings[0]["device"], "host");
  EXPECT_EQ(findings[0]["image"], "d.jpg");
  EXPECT_EQ(findings[0]["max_abs_diff"], 0.01);
  EXPECT_EQ(findings[0]["tolerance"], 0.0025);
  Write("summary", store, file);
  const std::string text = Text(file);
  EXPECT_NE(text.find("findings about the compiler: 1, of 1 mutants of level build\n"
                      "    code.lt_to_le s1 on host: B in conv2d; d.jpg differs by 0.01, "
                      "tolerance 0.0025\n"),
            std::string::npos)
      << text;
}

// The queries of docs/results.md run as they stand there and give the report's numbers.
TEST(Documentation, QueriesGiveTheReportsNumbers) {
  const char* source = std::getenv("MUTATENN_SOURCE_DIR");
  if (!source) GTEST_SKIP() << "skipped: MUTATENN_SOURCE_DIR is not set";
  std::string page = Text(std::string(source) + "/docs/results.md");
  std::vector<std::string> queries;
  for (size_t at = 0; (at = page.find("```sql\n", at)) != std::string::npos;) {
    size_t end = page.find("```", at + 7);
    queries.push_back(page.substr(at + 7, end - at - 7));
    at = end + 3;
  }
  ASSERT_EQ(queries.size(), 16u);
  SyntheticCampaign campaign(Matrix::kFull);
  ASSERT_TRUE(
      campaign.store()
          .PutGrowth({{"Net", "k1", "base", "", 0, "a.jpg", "v", "conv1", 0.5, 2, 0.5, NAN}})
          .ok());
  ASSERT_TRUE(campaign.store().PutFloors({{"Net", "host", "", 0, 2, 1.5, 1.5, NAN, 9}}).ok());
  const std::string json = campaign.folder() + "/report.json";
  Write("json", campaign.store(), json);
  EXPECT_EQ(JsonFile(json)["models"][0]["noise"].dump(), R"({"base":0.0,"host":1.5})");
  SQLite::Database database(StorePath(campaign.folder()));
  auto rows = [&](int number) {
    std::vector<std::string> result;
    SQLite::Statement query(database, queries[static_cast<size_t>(number) - 1]);
    while (query.executeStep()) {
      std::string row;
      for (int i = 0; i < query.getColumnCount(); ++i) {
        if (i > 0) row += '|';
        row += query.getColumn(i).getString();
      }
      result.push_back(row);
    }
    return result;
  };
  using Rows = std::vector<std::string>;
  EXPECT_EQ(rows(1).at(0), "base|c.jpg|1|[[1,2.5],[101,1.5]]|1");
  EXPECT_EQ(rows(1).size(), 8u);
  EXPECT_EQ(rows(2), (Rows{"Net|code.lt_to_le|3|3|3", "Net|graph.arithmetic|5|4|3"}));
  EXPECT_EQ(rows(3), (Rows{"Net|base|3|4|0.75", "Net|host|2|4|0.5"}));
  EXPECT_EQ(rows(4), (Rows{"Net|3|4|0.75"}));
  EXPECT_EQ(rows(5).size(), 2u);
  EXPECT_EQ(rows(6).size(), 6u);
  EXPECT_EQ(rows(7).size(), 12u);
  EXPECT_EQ(rows(8), Rows{});
  EXPECT_EQ(rows(10), (Rows{"Net|graph.arithmetic{}|4|3", "Net|code.lt_to_le{}|3|3"}));
  EXPECT_EQ(rows(11).at(1), "Net|base|k1|a.jpg|1|2|1");
  EXPECT_EQ(rows(12).at(0), "Net|base|s1|1.0|0");
  Rows effects = rows(13);
  EXPECT_EQ(std::count(effects.begin(), effects.end(), "Net|base|k1|a.jpg|2|7|silent"), 1);
  EXPECT_EQ(std::count(effects.begin(), effects.end(), "Net|base|t1|c.jpg|1|1|loud"), 1);
  EXPECT_EQ(rows(14), (Rows{"Net|base|0.0", "Net|host|1.5"}));
  EXPECT_EQ(rows(15).size(), 8 + 25u);
  EXPECT_EQ(rows(16), (Rows{"Net|k1|base||a.jpg|0|v|conv1|0.5|2.0|0.5||0|"}));
  Rows ninth = rows(9);
  EXPECT_EQ(std::count(ninth.begin(), ninth.end(), "Net|k1|base|4|4|2|2|0|0.08"), 1);
}

}  // namespace
}  // namespace mutatenn
