#include "base/diff.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

namespace mutatenn {
namespace {

// Applies a unified diff with full context: the oracle for what UnifiedDiff prints.
std::string Patch(const std::string& before, const std::string& diff) {
  std::vector<std::string> lines;
  std::istringstream in(before);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::string out;
  size_t at = 0;
  std::istringstream patch(diff);
  for (std::string line; std::getline(patch, line);) {
    if (line.starts_with("@@")) {
      size_t start = std::stoul(line.substr(4)) - 1;
      while (at < start) out += lines[at++] + "\n";
    } else if (line[0] == '+') {
      out += line.substr(1) + "\n";
    } else {
      EXPECT_EQ(lines.at(at), line.substr(1));
      if (line[0] == ' ') out += lines[at] + "\n";
      ++at;
    }
  }
  while (at < lines.size()) out += lines[at++] + "\n";
  return out;
}

TEST(Diff, EqualTextsHaveNone) { EXPECT_EQ(UnifiedDiff("a\nb\n", "a\nb\n"), ""); }

TEST(Diff, OneLineInTheMiddle) {
  EXPECT_EQ(UnifiedDiff("a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\ne\nf\ng\n", 1),
            "@@ -3,3 +3,3 @@\n c\n-d\n+X\n e\n");
}

TEST(Diff, PatchingGivesTheOtherText) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string a, b;
    for (int i = random() % 30; i > 0; --i) a += std::string(1, "abcd"[random() % 4]) + "\n";
    for (int i = random() % 30; i > 0; --i) b += std::string(1, "abcd"[random() % 4]) + "\n";
    EXPECT_EQ(Patch(a, UnifiedDiff(a, b, static_cast<int>(random() % 4))), b) << a << "--\n" << b;
  }
}

}  // namespace
}  // namespace mutatenn
