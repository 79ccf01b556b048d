// The reports for other programs, of the hand-written campaign (analysis/synthetic_campaign.h):
// form, counts, and the score that a reader of the public schema computes. The HTML page in a
// headless Chromium where there is one.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "analysis/scores.h"
#include "analysis/synthetic_campaign.h"
#include "base/files.h"
#include "base/hash.h"
#include "report/report.h"
#include "report/sources.h"
#include "report/text_file.h"
#include "report/thumbnails.h"

namespace mutatenn {
namespace {

using Matrix = SyntheticCampaign::Matrix;

constexpr const char* kKernelDiff =
    "--- kernel conv2d 0123456789abcdef\n+++ mutant k1\n"
    "@@ -3,3 +3,3 @@\n     a = 1\n-    b = x[0] < 2\n+    b = x[0] <= 2\n     c = 3\n";

class Exports : public testing::Test {
 protected:
  explicit Exports(Matrix matrix = Matrix::kFull) : campaign_(matrix) {
    Store& store = campaign_.store();
    auto put = [&](const char* id, const std::string& diff) {
      StoredBuild build{"Net", id, 0, "ok"};
      build.diff = diff;
      EXPECT_TRUE(store.PutBuilds({build}).ok());
    };
    put("k1", kKernelDiff);
    // Two kernels; the first counts. A removed line that looks like a title.
    put("s1",
        "--- kernel conv2d 0123456789abcdef\n+++ mutant s1\n"
        "@@ -8,2 +8,3 @@\n     i = 8\n+    <script>alert(1)</script>\n     j = 9\n"
        "--- kernel dense fedcba9876543210\n+++ mutant s1\n"
        "@@ -1,2 +1,1 @@\n--- x\n     y\n");
    put("t1", "--- graph\n+++ mutant t1\n@@ -1 +1 @@\n-add\n+subtract\n");
  }
  CampaignView View(const ReadOptions& options = {}) {
    return ReadCampaign(campaign_.store(), options).value();
  }
  std::string Text(const std::string& format, const ReadOptions& options = {}) {
    std::string file = campaign_.folder() + "/report." + format;
    Status written = FindReport(format)->write(View(options), file);
    EXPECT_TRUE(written.ok()) << (written.ok() ? "" : written.error().message);
    return ReadFile(file).value();
  }
  static int Count(const std::string& text, const std::string& part) {
    int count = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
    return count;
  }
  SyntheticCampaign campaign_;
};

TEST_F(Exports, SourcesComeFromDiffs) {
  CampaignView view = View();
  Sources sources = SourcesOf(view, view.models[0]).value();
  std::vector<std::string> names;
  for (const Source& source : sources.files) names.push_back(source.name);
  EXPECT_EQ(names, (std::vector<std::string>{"graph", "kernel conv2d 01234567 (target 0)",
                                             "kernel dense fedcba98 (target 0)", "not printed"}));
  EXPECT_EQ(sources.files[1].Text(),
            "# (lines 1 to 2 are in no diff)\n\n    a = 1\n    b = x[0] < 2\n    c = 3\n"
            "# (lines 6 to 7 are in no diff)\n\n    i = 8\n    j = 9\n");
  EXPECT_EQ(sources.files[2].Text(), "-- x\n    y\n");
  const Change& k1 = sources.files[1].mutants.at(0);
  EXPECT_EQ(k1.line, 4);
  EXPECT_EQ(k1.column, 5);
  EXPECT_EQ(k1.end_line, 4);
  EXPECT_EQ(k1.end_column, 17);
  EXPECT_EQ(k1.replacement, "    b = x[0] <= 2\n");
  const Change& s1 = sources.files[1].mutants.at(1);  // an insertion before line 9
  EXPECT_EQ(s1.line, 9);
  EXPECT_EQ(s1.end_line, 9);
  ASSERT_EQ(sources.edits.at(1).size(), 2u);
  EXPECT_EQ(sources.edits.at(1)[1].removed, 1);
  EXPECT_EQ(sources.files[3].mutants.size(), 3u);
}

TEST_F(Exports, PublicSchemaGivesOurScore) {
  ReadOptions marked{.marks = {{"s1", Mark::Kind::kAccepted, "may"}}};
  for (const ReadOptions& options : {ReadOptions{}, marked}) {
    Json report = ParseJson(Text("mutation-testing", options), "report").value();
    EXPECT_EQ(report["schemaVersion"], "2.0");
    EXPECT_LE(report["thresholds"]["low"], report["thresholds"]["high"]);
    std::set<std::string> tests, ids;
    for (const auto& [file, content] : report["testFiles"].items()) {
      for (const Json& test : content["tests"]) {
        EXPECT_TRUE(tests.insert(test["id"].get<std::string>()).second);
      }
    }
    EXPECT_EQ(tests.size(), 8u);
    int detected = 0, survived = 0;
    for (const auto& [file, content] : report["files"].items()) {
      EXPECT_EQ(content["language"], "python");
      int lines = Count(content["source"].get<std::string>(), "\n");
      for (const Json& mutant : content["mutants"]) {
        EXPECT_TRUE(ids.insert(mutant["id"].get<std::string>()).second);
        const Json& location = mutant["location"];
        EXPECT_GE(location["start"]["line"], 1);
        EXPECT_LE(location["start"]["line"], std::max(lines, 1));
        EXPECT_LE(location["start"]["line"], location["end"]["line"]);
        std::string status = mutant["status"];
        detected += status == "Killed" || status == "Timeout";
        survived += status == "Survived" || status == "NoCoverage";
        for (const char* key : {"killedBy", "coveredBy"}) {
          for (const Json& test : mutant[key]) EXPECT_TRUE(tests.count(test.get<std::string>()));
        }
        if (mutant["id"] == "x1") {
          EXPECT_EQ(status, "Killed");
          EXPECT_EQ(mutant["statusReason"], "crashed on base: SIGSEGV in step conv3 on c.jpg");
        }
      }
    }
    EXPECT_EQ(ids.size(), 6u);
    CampaignView view = View(options);
    Score score = OverallScore(view.models[0], AllMutants(view.models[0]));
    EXPECT_EQ(detected, score.detected);
    EXPECT_EQ(detected + survived, score.valid);
  }
}

TEST_F(Exports, JunitCounts) {
  std::string text = Text("junit", {.marks = {{"s1", Mark::Kind::kAccepted, "a < b & \"c\""}}});
  EXPECT_NE(text.find("<testsuite name=\"Net on base\" tests=\"6\" failures=\"0\" errors=\"0\" "
                      "skipped=\"3\""),
            std::string::npos)
      << text;
  // host: t1 survived, s1 marked, e1 stillborn, p1 pending
  EXPECT_NE(text.find("<testsuite name=\"Net on host\" tests=\"6\" failures=\"1\" errors=\"0\" "
                      "skipped=\"3\""),
            std::string::npos);
  EXPECT_EQ(Count(text, "<testcase "), 12);
  EXPECT_NE(text.find("a &lt; b &amp; &quot;c&quot;"), std::string::npos);
  EXPECT_NE(text.find("<skipped message=\"not measured: not built yet\"/>"), std::string::npos);
}

TEST_F(Exports, CsvHasEveryJudgedFate) {
  std::string text = Text("csv");
  // k1 4 + 4, s1 4 + 4, x1 1 + 1, t1 4 + 4, p1 2, and the head.
  EXPECT_EQ(Count(text, "\n"), 29);
  EXPECT_NE(
      text.find("Net,k1,code.lt_to_le,CSO,base,a.jpg,2,ok,2,7,1,silent,1,0,,conv2,0,0,0,1,0.02,,"
                "\"[[7,2.5],[107,1.5]]\"\n"),
      std::string::npos)
      << text;
  EXPECT_EQ(CsvLine({"a", "b,c", "d\"e", "f\ng", ""}), "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n");
}

class EarlyExports : public Exports {
 protected:
  EarlyExports() : Exports(Matrix::kEarly) {}
};

TEST_F(EarlyExports, CsvDoesNotShowWhatRanBeyondTheKill) {
  std::string before = Text("csv");
  StoredFate beyond{"Net", "k1", "base", "b.jpg", "ok", SyntheticCampaign::Top(4)};
  ASSERT_TRUE(campaign_.store().PutFates({beyond}, std::nullopt).ok());
  EXPECT_EQ(Text("csv"), before);
}

TEST_F(EarlyExports, MarkdownSaysNotMeasured) {
  std::string text = Text("markdown");
  EXPECT_NE(text.find("| base | 75.0 % | 4 | 30.1-95.4 % | 1 | 2 |"), std::string::npos) << text;
  EXPECT_NE(text.find("Devices disagree on 4 of 6 mutants"), std::string::npos) << text;
  ASSERT_TRUE(campaign_.store()
                  .PutOperatorUses({{"Net", "code.none{}", "code.none", "CSO", 0, 0, 0}})
                  .ok());
  EXPECT_NE(Text("markdown").find("| code.none | not measured | 0 |  |"), std::string::npos);
}

TEST_F(Exports, DatasetHasItsCodebook) {
  std::string folder = campaign_.folder() + "/data";
  ASSERT_TRUE(FindReport("dataset")->write(View(), folder).ok());
  std::string codebook = ReadFile(folder + "/codebook.md").value();
  for (const char* file : {"fates.csv", "mutants.csv", "images.csv", "originals.csv"}) {
    std::string text = ReadFile(folder + "/" + file).value();
    std::string head = text.substr(0, text.find('\n')) + ",";
    for (size_t from = 0, to; (to = head.find(',', from)) != std::string::npos; from = to + 1) {
      std::string column = head.substr(from, to - from);
      EXPECT_NE(codebook.find("| `" + column + "` |"), std::string::npos) << file << " " << column;
    }
  }
  EXPECT_EQ(Count(ReadFile(folder + "/mutants.csv").value(), "\n"), 13);
  EXPECT_TRUE(std::filesystem::exists(folder + "/configuration.json"));
  EXPECT_FALSE(FindReport("dataset")->write(View(), "-").ok());
}

TEST_F(Exports, TimesComparePairsOfDevices) {
  std::string text = Text("times");
  // The original, k1, s1, t1 ran on both; x1 gave no output, p1 ran on one.
  EXPECT_EQ(Count(text, "\n"), 6);
  EXPECT_NE(text.find("\nNet,p1,base,,2,0.02,0.02,0,,,,,,,,,,,\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nNet,original,base,host,4,0.0115,0.0115,0.00129"), std::string::npos)
      << text;
  EXPECT_NE(text.find(",no\n"), std::string::npos);
  // Equal times: nothing to test.
  EXPECT_NE(text.find("\nNet,s1,base,host,4,0.02,0.02,0,4,0.02,0.02,0,,,,,,,\n"), std::string::npos)
      << text;
}

TEST_F(Exports, HtmlNeedsNothingElse) {
  std::string text = Text("html");
  EXPECT_EQ(text.find("http://"), std::string::npos);
  EXPECT_EQ(text.find("https://"), std::string::npos);
  EXPECT_EQ(text.find("<script>alert"), std::string::npos);  // IR is data, not markup
  EXPECT_EQ(Count(text, "<tr\n><td>"), 6);                   // mutants are there without scripts
  for (const char* part :
       {"id=\"overview-0\"", "id=\"mutants-0\"", "id=\"kernels-0\"", "id=\"images-0\"",
        "id=\"devices-0\"", "id=\"times-0\"", "<svg role=\"img\""})
    EXPECT_NE(text.find(part), std::string::npos) << part;
}

// Runs the page with `script` at its end; the title that the script gave it.
std::string TitleAfter(const std::string& page, const std::string& script,
                       const std::string& file) {
  std::string probed = page;
  probed.insert(probed.rfind("</body>"), "<script>" + script + "</script>");
  if (!WriteFile(file, probed).ok()) return "not written";
  std::string command =
      "for c in chromium-headless-shell chromium; do if command -v $c >/dev/null; then exec "
      "timeout "
      "60 $c --no-sandbox --headless --virtual-time-budget=2000 --dump-dom 'file://" +
      file + "' 2>/dev/null; fi; done; echo no browser";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string dom;
  char buffer[1 << 16];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) dom.append(buffer, n);
  ::pclose(pipe);
  if (dom == "no browser\n") return dom;
  size_t begin = dom.find("<title>");
  return begin == std::string::npos ? dom.substr(0, 200)
                                    : dom.substr(begin + 7, dom.find("</title>") - begin - 7);
}

// Writes a PNG of 400 times 240 grey pixels; its bytes.
std::string Picture(const std::string& file) {
  cv::imwrite(file, cv::Mat(240, 400, CV_8UC3, cv::Scalar(120, 120, 120)));
  return ReadFile(file).value();
}

TEST_F(Exports, HtmlFiltersAndOpensMutants) {
  std::string file = campaign_.folder() + "/page.html";
  std::string title = TitleAfter(
      Text("html"),
      "addEventListener('error', function (e) { document.title = 'error ' + e.message; });"
      "var form = document.querySelector('.mutants form'), said = [];"
      "function shown() { form.dispatchEvent(new Event('input')); said.push(Array.from("
      "document.querySelectorAll('.mutants tbody tr')).filter(function (r) { return !r.hidden; "
      "}).map("
      "function (r) { return r.cells[0].textContent; }).join(' ')); }"
      "form.elements.op.value = 'code.lt_to_le'; shown();"
      "form.elements.op.value = ''; form.elements.verdict.value = 'survived';"
      "form.elements.device.value = '1'; shown();"
      "form.elements.search.value = 'ARITH'; shown();"
      "location.hash = 'm-k1'; setTimeout(function () {"
      "var detail = document.querySelector('.detail');"
      "said.push(detail.querySelector('.d').textContent.trim(), "
      "detail.querySelector('.a').textContent.trim(), detail.querySelector('.cells').textContent);"
      "document.title = said.join('|'); }, 100);",
      file);
  if (title == "no browser\n") GTEST_SKIP() << "skipped: no Chromium on PATH";
  // k1 on base: c not killed, a killed, d killed, b not.
  EXPECT_EQ(title, "k1 s1 x1|s1 t1|t1|-    b = x[0] &lt; 2|+    b = x[0] &lt;= 2|=kk=");
}

// With pictures, nothing on the console, and on paper.
TEST_F(Exports, HtmlShowsThumbnailsAndPrints) {
  const std::string picture = Picture(campaign_.folder() + "/a.png");
  std::vector<StoredImage> images = campaign_.store().Images("Net").value();
  for (StoredImage& image : images) {
    if (image.name != "a.jpg") continue;
    image.path = campaign_.folder() + "/a.png";
    image.hash = HashBytes(picture);
  }
  ASSERT_TRUE(campaign_.store().PutImages(images).ok());
  const std::string page = Text("html"), file = campaign_.folder() + "/page.html";
  EXPECT_EQ(Count(page, "src=\"data:image/jpeg;base64,"), 1);
  const std::string title = TitleAfter(
      page,
      "location.hash = 'm-k1'; setTimeout(function () { document.title = Array.from("
      "document.querySelectorAll('.detail .cells span')).map(function (c) { return c.className + "
      "c.querySelectorAll('img').length + c.textContent + (c.querySelector('img') ? "
      "c.querySelector('img').naturalWidth : ''); }).join(' ') + ' ' + "
      "document.querySelector('.detail .a mark').textContent; }, 100);",
      file);
  if (title == "no browser\n") GTEST_SKIP() << "skipped: no Chromium on PATH";
  // On base c, a, d, b; on host the same; a.jpg kills and has a picture of 48 pixels.
  EXPECT_EQ(title.substr(0, title.find(" k0")), "0= t k1k48") << title;
  EXPECT_EQ(title.substr(title.rfind(' ') + 1), "=");
  const std::string pdf = campaign_.folder() + "/page.pdf", log = campaign_.folder() + "/log";
  ASSERT_TRUE(WriteFile(file, page).ok());
  const std::string command =
      "for c in chromium-headless-shell chromium; do if command -v $c >/dev/null; then exec "
      "timeout 60 $c --no-sandbox --headless --enable-logging=stderr --print-to-pdf='" +
      pdf + "' 'file://" + file + "' 2>'" + log + "'; fi; done";
  ASSERT_EQ(std::system(command.c_str()), 0) << ReadFile(log).value();
  EXPECT_EQ(ReadFile(log).value().find("CONSOLE"), std::string::npos) << ReadFile(log).value();
  EXPECT_EQ(ReadFile(pdf).value().substr(0, 5), "%PDF-");
}

TEST_F(Exports, AuditHoldsHashesHistoryAndMarks) {
  Store& store = campaign_.store();
  ASSERT_TRUE(store.AddEvent("command", "mutatenn run a.json --out b").ok());
  ASSERT_TRUE(store.AddEvent("worker lost", "board: gone").ok());
  ASSERT_TRUE(store.SetMeta("tool_hash", "0123").ok());
  ASSERT_TRUE(store.SetMeta("classes:Net", "[\"cat\"]").ok());
  ASSERT_TRUE(store.PutRepeats({{"Net", "base", "a.jpg", 2, "[1,2]", "[0.5]", 0, true}}).ok());
  const ReadOptions marked{.marks = {{"s1", Mark::Kind::kAccepted, "may"}}};
  const Json audit = ParseJson(Text("audit", marked), "audit").value();
  EXPECT_EQ(audit["tool_hash"], "0123");
  EXPECT_EQ(audit["history"].dump(), R"([{"kind":"command","text":"mutatenn run a.json --out b"},)"
                                     R"({"kind":"worker lost","text":"board: gone"}])");
  EXPECT_EQ(audit["marks"].dump(), R"([{"mutant":"s1","as":"accepted","reason":"may"}])");
  const Json& model = audit["models"][0];
  EXPECT_EQ(model["classes_hash"], HashBytes("[\"cat\"]"));
  EXPECT_EQ(model["labels_hash"], HashBytes("a.jpg\t2\nb.jpg\t-1\nc.jpg\t1\nd.jpg\t3\n"));
  EXPECT_EQ(model["images"].size(), 4u);
  EXPECT_EQ(model["mutants_not_selected"], 1);
  EXPECT_EQ(model["unstable_images"].dump(), R"([{"device":"base","image":"a.jpg"}])");
  const std::string page = Text("html", marked);
  EXPECT_NE(page.find("<td>worker lost</td><td>board: gone</td>"), std::string::npos);
}

}  // namespace
}  // namespace mutatenn
