// A tree that the paper report wrote, judged again from its files alone, gives the same
// comparisons.
#include "report/from_tree.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"
#include "base/files.h"
#include "base/json.h"
#include "report/report.h"

namespace mutatenn {
namespace {
namespace fs = std::filesystem;

// Equal but for the order of names and for rounding: a tree knows no order of images.
void ExpectSame(const Json& a, const Json& b, const std::string& where) {
  if (a.is_number_float() && b.is_number()) {
    EXPECT_NEAR(a.get<double>(), b.get<double>(), 1e-9) << where;
    return;
  }
  ASSERT_EQ(a.size(), b.size()) << where;
  if (a.is_object()) {
    for (const auto& [key, value] : a.items()) {
      ASSERT_TRUE(b.contains(key)) << where << " " << key;
      ExpectSame(value, b.at(key), where + "/" + key);
    }
  } else if (a.is_array() && !a.empty() && a[0].is_string()) {
    auto x = a.get<std::vector<std::string>>(), y = b.get<std::vector<std::string>>();
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    EXPECT_EQ(x, y) << where;
  } else if (a.is_array()) {
    for (size_t i = 0; i < a.size(); ++i) ExpectSame(a[i], b[i], where);
  } else {
    EXPECT_EQ(a, b) << where;
  }
}

class FromTree : public testing::Test {
 protected:
  FromTree() : campaign_(SyntheticCampaign::Matrix::kFull), root_(folder_.path + "/Net") {
    CampaignView view = ReadCampaign(campaign_.store(), {.keep_fates = true}).value();
    EXPECT_TRUE(FindReport("paper")->write(view, folder_.path).ok());
  }
  std::string Image(const std::string& name) const {
    return root_ + "/base/model_original_opt3/mutations/ts_0_base0/" + name + ".txt";
  }
  SyntheticCampaign campaign_;
  TemporaryFolder folder_;
  std::string root_;
};

TEST_F(FromTree, GivesWhatThePaperReportGave) {
  std::string out = folder_.path + "/again";
  TreeCounts counts = JudgeTree(root_, out).value();
  EXPECT_EQ(counts.devices, 2u);
  EXPECT_EQ(counts.variants, 6u);  // the original and what was run of five mutants
  EXPECT_EQ(counts.images, 4u);
  for (const char* file : {"/device_evaluation.json", "/device_discrepancies.json"}) {
    auto json = [&](const std::string& root) {
      return ParseJson(ReadFile(root + file).value(), file).value();
    };
    ExpectSame(json(root_), json(out), file);
  }
  auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  for (const char* file : {"/Net_output_stats_total_1.csv", "/host/same_folder.json"}) {
    EXPECT_EQ(lines(ReadFile(out + file).value()), lines(ReadFile(root_ + file).value())) << file;
  }
}

TEST_F(FromTree, TheLastRunCounts) {
  std::string before = ReadFile(root_ + "/device_evaluation.json").value();
  fs::path runs = root_ + "/host/model_original_opt3/mutations";
  fs::copy(runs / "ts_0_host0", runs / "ts_1_host0", fs::copy_options::recursive);
  ASSERT_TRUE(WriteFile(runs / "ts_1_host0/a.txt", "77, 0.5\r\n\r\n0.25\r\n").ok());
  ASSERT_TRUE(JudgeTree(root_, root_).ok());
  Json evaluation =
      ParseJson(ReadFile(root_ + "/device_evaluation.json").value(), "evaluation").value();
  EXPECT_EQ(DumpJson(evaluation["model_original_opt3"][0]["comparison"]["images_dissimilar"]),
            R"(["a.txt","b.txt"])");
}

TEST_F(FromTree, NamesWhatIsWrong) {
  for (const char* text : {"", "1, 2\n", "1; 2\n\n0.1\n", "x, 2\n\n0.1\n", "1, 2\n\nfast\n"}) {
    ASSERT_TRUE(WriteFile(Image("a"), text).ok());
    auto judged = JudgeTree(root_, root_);
    ASSERT_FALSE(judged.ok()) << text;
    EXPECT_EQ(judged.error().code, Code::kInvalidInput);
    EXPECT_EQ(judged.error().message.find(Image("a") + ", line "), 0u) << judged.error().message;
  }
  EXPECT_EQ(JudgeTree(folder_.path, folder_.path).error().code, Code::kNotFound);
  EXPECT_EQ(JudgeTree("/no/such/tree", folder_.path).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace mutatenn
