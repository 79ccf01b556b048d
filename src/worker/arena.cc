// mmap in four forms: huge pages, files, shared pages, and buffers of a child.
#include "worker/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "worker/isolation.h"

namespace mutatenn {
namespace {

constexpr int64_t kHugePage = 2 << 20;
constexpr int64_t kSlab = 4 << 20;

}  // namespace

int64_t PageSize() {
  static const int64_t size = ::sysconf(_SC_PAGESIZE);
  return size;
}

Mapping::~Mapping() {
  if (address_ != nullptr) ::munmap(address_, bytes_);
}

Result<Arena> Arena::Make(int64_t bytes) { return Make(bytes, Arena()); }

Result<Arena> Arena::Make(int64_t bytes, Arena spare) {
  size_t size = static_cast<size_t>(bytes + 2 * kHugePage);
  if (spare.mapping_.size() >= size &&
      ::mprotect(spare.mapping_.data(), spare.mapping_.size(), PROT_READ | PROT_WRITE) == 0) {
    spare.used_ = 0;
    return spare;
  }
  spare = Arena();  // first: the two together may be more than there is
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return Fail(Code::kIo, "no memory for ", std::to_string(bytes >> 20),
                " MiB of references: ", std::strerror(errno), " (lower memory_budget_mb)");
  ::madvise(address, size, MADV_HUGEPAGE);
  Arena arena;
  arena.mapping_ = Mapping(address, size);
  int64_t misaligned = reinterpret_cast<intptr_t>(address) % kHugePage;
  arena.start_ = misaligned == 0 ? 0 : kHugePage - misaligned;
  return arena;
}

void* Arena::Allocate(int64_t bytes) {
  char* piece = mapping_.data() + start_ + used_;
  used_ += Aligned(bytes);
  CHECK(start_ + used_ <= static_cast<int64_t>(mapping_.size()));
  return piece;
}

Status Arena::Seal() {
  if (::mprotect(mapping_.data(), mapping_.size(), PROT_READ) != 0)
    return Fail(Code::kIo, "cannot protect the references: ", std::strerror(errno));
  return Ok();
}

Result<Mapping> MapFile(const std::filesystem::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Fail(errno == ENOENT ? Code::kNotFound : Code::kIo, path.string(), ": ",
                std::strerror(errno));
  struct stat info = {};
  ::fstat(fd, &info);
  if (info.st_size == 0) {
    ::close(fd);
    return Mapping();
  }
  void* address = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  int error = errno;
  ::close(fd);
  if (address == MAP_FAILED)
    return Fail(Code::kIo, path.string(), ": cannot be mapped: ", std::strerror(error));
  return Mapping(address, static_cast<size_t>(info.st_size));
}

Result<Mapping> MapShared(size_t bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED)
    return Fail(Code::kIo, "no memory shared with a child: ", std::strerror(errno));
  return Mapping(address, bytes);
}

void Populate(void* begin, int64_t bytes) {
  if (bytes > 0) ::madvise(begin, static_cast<size_t>(bytes), MADV_POPULATE_WRITE);
}

void* BufferPool::Get(size_t index, int64_t bytes) {
  if (buffers_[index] != nullptr) return buffers_[index];
  int64_t need = std::max(Aligned(bytes), kAlignment);
  if (need > left_) {
    int64_t size = std::max(kSlab, (need + kHugePage - 1) / kHugePage * kHugePage);
    void* slab = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slab == MAP_FAILED) EndOutOfMemory();
    ::madvise(slab, static_cast<size_t>(size), MADV_HUGEPAGE);
    slab_ = static_cast<char*>(slab);
    left_ = size;
  }
  buffers_[index] = slab_;
  slab_ += need;
  left_ -= need;
  return buffers_[index];
}

}  // namespace mutatenn
