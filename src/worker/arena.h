// Memory of the worker that its children share without copying: one private huge-page arena, made
// read-only when it is filled, and weight files mapped read-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mutatenn {

// Vector kernels need starts at multiples of this; so do files of weights.
inline constexpr int64_t kAlignment = 64;
inline int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

int64_t PageSize();

// Address space of this process; unmapped when it goes.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, size_t bytes) : address_(address), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping();
  char* data() const { return static_cast<char*>(address_); }
  size_t size() const { return bytes_; }

 private:
  void* address_ = nullptr;
  size_t bytes_ = 0;
};

// In huge pages where the system gives them: fork of 1 GB takes 0.6 ms then, not 14. Zero-filled
// unless its memory is another's.
class Arena {
 public:
  // `spare`: one that nobody uses any more, no child either, to take the memory from if it has
  // enough. Memory costs most when it is touched for the first time: 2 ms a MB in a virtual machine
  // that gave it back to its host.
  static Result<Arena> Make(int64_t bytes, Arena spare);
  static Result<Arena> Make(int64_t bytes);
  // A piece of it, 64-byte aligned. Asking for more than was made is a bug.
  void* Allocate(int64_t bytes);
  // From now on a write kills the writer (a child; the worker itself never writes again).
  Status Seal();

 private:
  Mapping mapping_;
  int64_t start_ = 0, used_ = 0;
};

// kNotFound or kIo with the file's name.
Result<Mapping> MapFile(const std::filesystem::path& path);
// Readable and writable, shared with children. kIo when the system has none left.
Result<Mapping> MapShared(size_t bytes);

// Has the system give all pages of a range at once, for half of what a fault a page costs. Only a
// wish: a system that cannot, does not.
void Populate(void* begin, int64_t bytes);

// Buffers of a child, made as they are needed and kept: asking for the same index again gives the
// same memory. Ends the process as out of memory (isolation.h) when there is none.
class BufferPool {
 public:
  void Resize(size_t count) { buffers_.resize(count, nullptr); }
  void* Get(size_t index, int64_t bytes);

 private:
  std::vector<void*> buffers_;
  char* slab_ = nullptr;
  int64_t left_ = 0;
};

}  // namespace mutatenn
