// Pieces of text to a file, errors kept until the end.
#include "report/text_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mutatenn {

Result<TextFile> TextFile::Open(const std::string& destination) {
  TextFile text(destination);
  if (destination == "-") {
    text.file_ = stdout;
    return text;
  }
  text.aside_ = destination + ".tmp" + std::to_string(::getpid());
  text.file_ = std::fopen(text.aside_.c_str(), "we");
  if (!text.file_) return Fail(Code::kIo, "cannot write ", destination, ": ", std::strerror(errno));
  return text;
}

TextFile::TextFile(TextFile&& other) noexcept
    : destination_(std::move(other.destination_)),
      aside_(std::move(other.aside_)),
      buffer_(std::move(other.buffer_)),
      file_(other.file_),
      error_(other.error_) {
  other.file_ = nullptr;
}

TextFile::~TextFile() {
  if (file_ == nullptr || file_ == stdout) return;
  std::fclose(file_);
  ::unlink(aside_.c_str());
}

void TextFile::Flush() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size() && error_ == 0)
    error_ = errno ? errno : EIO;
  buffer_.clear();
}

Status TextFile::Close() {
  Flush();
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
  bool to_file = file_ != stdout;
  if (to_file && std::fclose(file_) != 0 && error_ == 0) error_ = errno;
  file_ = nullptr;
  if (to_file && error_ == 0 && std::rename(aside_.c_str(), destination_.c_str()) != 0)
    error_ = errno;
  if (to_file && error_ != 0) ::unlink(aside_.c_str());
  if (error_ == 0) return Ok();
  return Fail(Code::kIo, "cannot write ", to_file ? destination_ : std::string("standard output"),
              ": ", std::strerror(error_));
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (char c : fields[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + "\n";
}

std::string MarkupText(std::string_view text) {
  std::string safe;
  for (char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return safe;
}

}  // namespace mutatenn
