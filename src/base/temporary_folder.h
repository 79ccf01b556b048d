// A folder that disappears with its owner.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace mutatenn {

class TemporaryFolder {
 public:
  // In TMPDIR; `purpose` is part of its name. kIo where it cannot be made.
  static Result<TemporaryFolder> Make(const std::string& purpose);
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace mutatenn
