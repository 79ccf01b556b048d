// Images, their true classes and class names, from files written by the test.
#include <gtest/gtest.h>

#include "base/files.h"
#include "model/model.h"
#include "model/test_support.h"

namespace mutatenn {
namespace {

class LabelsTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFile(folder_ / name, text).ok());
  }
  std::string TruthError(const std::string& text) {
    Write("truth.tsv", text);
    auto images = ListImages(folder_.path().string(), folder_ / "truth.tsv");
    if (images.ok()) return "";
    EXPECT_EQ(images.error().code, Code::kInvalidInput);
    return images.error().message;
  }
  void SetUp() override {
    Write("b.PNG", "");
    Write("a.jpg", "");
    Write("c.jpeg", "");
    Write("notes.txt", "");
  }

  TemporaryFolder folder_;
};

TEST_F(LabelsTest, ImagesAreSortedByName) {
  auto images = ListImages(folder_.path().string(), "");
  ASSERT_TRUE(images.ok());
  ASSERT_EQ(images->size(), 3u);
  EXPECT_EQ((*images)[0].name, "a.jpg");
  EXPECT_EQ((*images)[1].name, "b.PNG");
  EXPECT_EQ((*images)[2].name, "c.jpeg");
  EXPECT_EQ((*images)[0].path, folder_ / "a.jpg");
  EXPECT_EQ((*images)[0].truth, -1);
  auto one = ListImages(folder_ / "b.PNG", "");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->at(0).name, "b.PNG");
}

TEST_F(LabelsTest, TruthIsRead) {
  Write("truth.tsv",
        "\xef\xbb\xbf"
        "file\tclass\tname\r\nc.jpeg\t7\tfoo bar\r\n\r\na.jpg\t0\n");
  auto images = ListImages(folder_.path().string(), folder_ / "truth.tsv");
  ASSERT_TRUE(images.ok()) << images.error().message;
  EXPECT_EQ((*images)[0].truth, 0);
  EXPECT_EQ((*images)[1].truth, -1);
  EXPECT_EQ((*images)[2].truth, 7);
  auto one = ListImages(folder_ / "c.jpeg", folder_ / "truth.tsv");
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->at(0).truth, 7);
}

TEST_F(LabelsTest, WrongTruthIsRefusedWithItsLine) {
  std::string at = folder_ / "truth.tsv";
  EXPECT_EQ(TruthError("file\tclass\na.jpg\tcat\n"), at + ":2: the class 'cat' is no whole number");
  EXPECT_EQ(TruthError("a.jpg\t1.5\n"), at + ":1: the class '1.5' is no whole number");
  EXPECT_EQ(TruthError("a.jpg\t\n"), at + ":1: the class '' is no whole number");
  EXPECT_EQ(TruthError("a.jpg\t-1\n"), at + ":1: the class -1 is below 0");
  EXPECT_EQ(TruthError("a.jpg 1\n"), at + ":1: expected a file name, a tab and a class");
  EXPECT_EQ(TruthError("a.jpg\t1\na.jpg\t1\n"), at + ":2: a.jpg is listed twice");
  EXPECT_EQ(TruthError("a.jpg\t1\nz.jpg\t1\ny.jpg\t2\n"),
            at + ":2: z.jpg is not an image in " + folder_.path().string());
  EXPECT_EQ(TruthError("a.jpg\t99999999999999999999\n"),
            at + ":1: the class '99999999999999999999' is no whole number");
}

TEST_F(LabelsTest, NothingThereIsRefused) {
  EXPECT_EQ(ListImages(folder_ / "nothing", "").error().code, Code::kNotFound);
  EXPECT_EQ(ListImages(folder_.path().string(), folder_ / "no.tsv").error().code, Code::kNotFound);
  ASSERT_TRUE(MakeDirectories(folder_ / "empty").ok());
  EXPECT_EQ(ListImages(folder_ / "empty", "").error().code, Code::kInvalidInput);
}

TEST_F(LabelsTest, ClassesAreLines) {
  Write("classes.txt", "tench\r\ngoldfish\ngreat white shark\n\n");
  auto classes = ReadClasses(folder_ / "classes.txt");
  ASSERT_TRUE(classes.ok());
  EXPECT_EQ(*classes, (std::vector<std::string>{"tench", "goldfish", "great white shark"}));
  Write("classes.txt", "tench\n\ngoldfish\n");
  EXPECT_EQ(ReadClasses(folder_ / "classes.txt").error().message,
            (folder_ / "classes.txt") +
                ":2: an empty line; line n names class n-1, so none may be left out");
  Write("classes.txt", "\n");
  EXPECT_FALSE(ReadClasses(folder_ / "classes.txt").ok());
  EXPECT_EQ(ReadClasses(folder_ / "none.txt").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace mutatenn
