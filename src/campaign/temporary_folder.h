// A folder that disappears, for what must not stay.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace mutatenn {

class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Make() {
    std::string path = (std::filesystem::temp_directory_path() / "mutatenn-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr)
      return Fail(Code::kIo, path, ": cannot be made; is there room in TMPDIR?");
    return TemporaryFolder(path);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  double Bytes() const {
    double bytes = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_, ignored)) {
      if (entry.is_regular_file(ignored)) bytes += static_cast<double>(entry.file_size(ignored));
    }
    return bytes;
  }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace mutatenn
