// What people say of mutants, in a text file of the campaign's folder that is kept under version
// control: one line a mark, "MUTANT equivalent|accepted REASON", '#' begins a comment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace mutatenn {

struct Mark {
  enum class Kind {
    kEquivalent,  // behaves as the original for every input
    kAccepted,    // survives, and may
  };
  std::string mutant;
  Kind kind = Kind::kEquivalent;
  std::string reason;  // one line
  bool operator==(const Mark&) const = default;
};
const char* MarkName(Mark::Kind kind);
std::optional<Mark::Kind> MarkFromName(const std::string& name);

inline std::string MarksPath(const std::string& folder) { return folder + "/marks.txt"; }

// A folder without the file has no marks. kInvalidInput names the line.
Result<std::vector<Mark>> ReadMarks(const std::string& folder);
// Adds a mark, or replaces the mutant's; other lines stay as they are.
Status WriteMark(const std::string& folder, const Mark& mark);

}  // namespace mutatenn
