// Text written piece by piece to a file (aside, renamed at the end) or to standard output, for
// reports larger than memory; and the quoting of the formats that several reports write.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mutatenn {

class TextFile {
 public:
  // "-" is standard output.
  static Result<TextFile> Open(const std::string& destination);
  TextFile(TextFile&& other) noexcept;
  TextFile& operator=(TextFile&&) = delete;
  ~TextFile();  // without Close: nothing is left behind

  void Append(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() > kBuffer) Flush();
  }
  // kIo when anything could not be written.
  Status Close();

 private:
  static constexpr size_t kBuffer = 1 << 20;
  explicit TextFile(std::string destination) : destination_(std::move(destination)) {}
  void Flush();

  std::string destination_, aside_, buffer_;
  std::FILE* file_ = nullptr;
  int error_ = 0;
};

// One line of RFC 4180, but with "\n" at its end.
std::string CsvLine(const std::vector<std::string>& fields);
// Text inside an XML or HTML element or a quoted attribute; characters that XML forbids become '?'.
std::string MarkupText(std::string_view text);

}  // namespace mutatenn
