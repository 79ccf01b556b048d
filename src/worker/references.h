// The original's values for each image of the loaded chunk, as many as the memory budget allows:
// all that a later step reads, or those that live across every k-th cut between steps, or inputs
// and network outputs only. What is not kept is made again by the child that needs it (executor.h);
// the bytes are the same either way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "device/session.h"
#include "worker/arena.h"
#include "worker/original.h"

namespace mutatenn {

class References {
 public:
  // Runs the original on every image. `keep_going` is asked between images (the client may be
  // gone). `memory`: of an earlier chunk, used again where it is large enough.
  static Result<References> Run(const Original& original, const std::vector<ImageInput>& images,
                                int64_t budget_bytes, const std::function<bool()>& keep_going,
                                Arena memory = Arena());
  Arena TakeMemory() && { return std::move(arena_); }

  const std::vector<OriginalRun>& runs() const { return runs_; }
  int Find(const std::string& image) const;  // -1 when it is not of the chunk
  // A kept value; null when it has to be made again.
  const void* Value(int image, int value) const {
    int64_t offset = offsets_[static_cast<size_t>(value)];
    return offset < 0 ? nullptr : bases_[static_cast<size_t>(image)] + offset;
  }
  int64_t bytes() const { return bytes_per_image_ * static_cast<int64_t>(bases_.size()); }

 private:
  Arena arena_;
  std::vector<char*> bases_;      // by image
  std::vector<int64_t> offsets_;  // by value, -1 = not kept
  int64_t bytes_per_image_ = 0;
  std::vector<OriginalRun> runs_;
};

// Which values are kept (by value) when each of `images` images may use its share of the budget.
std::vector<bool> ChooseKept(const Original& original, int64_t images, int64_t budget_bytes);

}  // namespace mutatenn
