// The file of marks, as people and `mutatenn mark` edit it.
#include "analysis/marks.h"

#include <gtest/gtest.h>

#include "analysis/synthetic_campaign.h"
#include "base/files.h"

namespace mutatenn {
namespace {

TEST(Marks, AreReadAndWritten) {
  TemporaryFolder folder;
  EXPECT_TRUE(ReadMarks(folder.path).value().empty());
  Mark mark{"abc", Mark::Kind::kEquivalent, "never read: a pad"};
  ASSERT_TRUE(WriteMark(folder.path, mark).ok());
  ASSERT_TRUE(WriteMark(folder.path, {"def", Mark::Kind::kAccepted, "x"}).ok());
  EXPECT_EQ(ReadMarks(folder.path).value(),
            (std::vector<Mark>{mark, {"def", Mark::Kind::kAccepted, "x"}}));
  mark.kind = Mark::Kind::kAccepted;
  ASSERT_TRUE(WriteMark(folder.path, mark).ok());  // replaces, in its place
  EXPECT_EQ(ReadMarks(folder.path).value().at(0), mark);
  EXPECT_EQ(ReadMarks(folder.path).value().size(), 2u);
}

TEST(Marks, HandWrittenFiles) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFile(MarksPath(folder.path), "# note\n\n  abc  accepted   two words \r\n").ok());
  EXPECT_EQ(ReadMarks(folder.path).value().at(0),
            (Mark{"abc", Mark::Kind::kAccepted, "two words "}));
  ASSERT_TRUE(WriteMark(folder.path, {"d", Mark::Kind::kAccepted, "y"}).ok());
  EXPECT_EQ(ReadFile(MarksPath(folder.path)).value().substr(0, 6), "# note");
  for (const char* wrong : {"abc", "abc accepted", "abc killed it", "abc accepted  "}) {
    ASSERT_TRUE(WriteFile(MarksPath(folder.path), std::string("# x\n") + wrong + "\n").ok());
    auto marks = ReadMarks(folder.path);
    ASSERT_FALSE(marks.ok()) << wrong;
    EXPECT_NE(marks.error().message.find("line 2"), std::string::npos);
    EXPECT_FALSE(WriteMark(folder.path, {"d", Mark::Kind::kAccepted, "y"}).ok());
  }
}

}  // namespace
}  // namespace mutatenn
