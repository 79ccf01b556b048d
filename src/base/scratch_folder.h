// A folder in TMPDIR that disappears with the object.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace mutatenn {

class ScratchFolder {
 public:
  // `purpose` enters its name. kIo when it cannot be made.
  static Result<ScratchFolder> Make(const std::string& purpose);
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace mutatenn
