// Whole-file reading and atomic writing over POSIX calls, with errors that name the file.
#include "base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

Error IoError(const std::string& what, const fs::path& path, int error) {
  return Fail(Code::kIo, what, " ", path.string(), ": ", std::strerror(error),
              error == ENOSPC ? " (free some space and run the same command again)" : "");
}

}  // namespace

Result<std::string> ReadBytes(const fs::path& path, int64_t offset, int64_t bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return IoError("cannot read", path, errno);
  std::string result(static_cast<size_t>(bytes), '\0');
  int64_t done = 0;
  ssize_t n = 0;
  while (done < bytes) {
    n = ::pread(fd, result.data() + done, static_cast<size_t>(bytes - done), offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += n;
  }
  const int error = errno;
  ::close(fd);
  if (done == bytes) return result;
  if (n < 0) return IoError("cannot read", path, error);
  return Fail(Code::kIo, path.string(), ": is too short");
}

Result<std::string> ReadFile(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Fail(Code::kNotFound, path.string(), ": no such file");
    return IoError("cannot read", path, errno);
  }
  std::string bytes;
  char buffer[1 << 16];
  ssize_t n;
  while ((n = ::read(fd, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      ::close(fd);
      return IoError("cannot read", path, error);
    }
    bytes.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  return bytes;
}

Status WriteFile(const fs::path& path, std::string_view bytes) {
  fs::path aside = path;
  aside += ".tmp" + std::to_string(::getpid());
  int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return IoError("cannot write", path, errno);
  for (size_t done = 0; done < bytes.size();) {
    ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      ::close(fd);
      ::unlink(aside.c_str());
      return IoError("cannot write", path, error);
    }
    done += static_cast<size_t>(n);
  }
  if (::close(fd) != 0 || ::rename(aside.c_str(), path.c_str()) != 0) {
    int error = errno;
    ::unlink(aside.c_str());
    return IoError("cannot write", path, error);
  }
  return Ok();
}

Status MakeDirectories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return IoError("cannot create", path, error.value());
  return Ok();
}

Status LinkOrCopy(const fs::path& from, const fs::path& to) {
  const int linked = ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW);
  if (linked == 0 || errno == EEXIST) return Ok();
  TRY(WriteFile(to, TRY(ReadFile(from))));
  return Ok();
}

fs::path ExecutableDirectory() {
  std::error_code error;
  fs::path self = fs::read_symlink("/proc/self/exe", error);
  return self.parent_path();
}

}  // namespace mutatenn
