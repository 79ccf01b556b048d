// A file in memory that a path names, in this process and in one that inherits it: what TVM and the
// linker write and read without touching a disk.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/result.h"

namespace mutatenn {

class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("mutatenn", 0)) {}
  ~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  int fd() const { return fd_; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  Status Check() const {
    if (fd_ >= 0) return Ok();
    return Fail(Code::kUnavailable, "no memory for an object: ", std::strerror(errno));
  }
  Status Write(const std::string& bytes) const {
    TRY(Check());
    if (::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) return Ok();
    return Fail(Code::kUnavailable, "no memory for an object: ", std::strerror(errno));
  }

 private:
  int fd_;
};

}  // namespace mutatenn
