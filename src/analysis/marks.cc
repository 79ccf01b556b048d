// The file of marks to a list, and one mark into the file.
#include "analysis/marks.h"

#include <filesystem>
#include <sstream>

#include "base/files.h"

namespace mutatenn {
namespace {

constexpr const char* kHead =
    "# Mutants looked at by people; keep this file under version control.\n"
    "# MUTANT equivalent|accepted REASON\n";

std::string LineOf(const Mark& mark) {
  return mark.mutant + " " + MarkName(mark.kind) + " " + mark.reason + "\n";
}

Result<std::string> TextOf(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::exists(MarksPath(folder), error)) return std::string();
  return ReadFile(MarksPath(folder));
}

std::string FirstWord(const std::string& line) {
  std::string word;
  std::istringstream(line) >> word;
  return word;
}

}  // namespace

const char* MarkName(Mark::Kind kind) {
  return kind == Mark::Kind::kEquivalent ? "equivalent" : "accepted";
}

std::optional<Mark::Kind> MarkFromName(const std::string& name) {
  for (Mark::Kind kind : {Mark::Kind::kEquivalent, Mark::Kind::kAccepted})
    if (name == MarkName(kind)) return kind;
  return std::nullopt;
}

Result<std::vector<Mark>> ReadMarks(const std::string& folder) {
  std::vector<Mark> marks;
  std::istringstream text(TRY(TextOf(folder)));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    std::istringstream words(line);
    Mark mark;
    std::string kind;
    if (!(words >> mark.mutant) || mark.mutant.front() == '#') continue;
    words >> kind >> std::ws;
    std::getline(words, mark.reason);
    while (!mark.reason.empty() && mark.reason.back() == '\r') mark.reason.pop_back();
    std::optional<Mark::Kind> known = MarkFromName(kind);
    if (!known || mark.reason.empty()) {
      return Fail(Code::kInvalidInput, MarksPath(folder), ", line ", std::to_string(number),
                  ": expected MUTANT equivalent|accepted REASON");
    }
    mark.kind = *known;
    marks.push_back(std::move(mark));
  }
  return marks;
}

Status WriteMark(const std::string& folder, const Mark& mark) {
  TRY(ReadMarks(folder));  // a damaged file is mended by hand first
  std::string text = TRY(TextOf(folder)), marked;
  bool replaced = false;
  std::istringstream lines(text.empty() ? kHead : text);
  for (std::string line; std::getline(lines, line);) {
    bool same = FirstWord(line) == mark.mutant;
    if (same && replaced) continue;
    marked += same ? LineOf(mark) : line + "\n";
    replaced |= same;
  }
  return WriteFile(MarksPath(folder), replaced ? marked : marked + LineOf(mark));
}

}  // namespace mutatenn
