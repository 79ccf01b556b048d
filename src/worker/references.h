// The original's values for each image of the loaded chunk, as many as the memory budget allows:
// those that cost less to keep than to make again, or that live across every k-th cut between
// steps, or inputs and network outputs only. What is not kept is made again by the child that needs
// it (executor.h); the bytes are the same either way.
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
                                Arena memory = Arena(), const std::vector<bool>& wanted = {});
  Arena TakeMemory() && { return std::move(arena_); }

  const std::vector<OriginalRun>& runs() const { return runs_; }
  int Find(const std::string& image) const;  // -1 when it is not of the chunk
  // A kept value; null when it has to be made again.
  const void* Value(int image, int value) const {
    int64_t offset = offsets_[static_cast<size_t>(value)];
    return offset < 0 ? nullptr : bases_[static_cast<size_t>(image)] + offset;
  }
  // Whether `data` differs from the original's value in the pieces of it that were noted, which a
  // value that is not kept has too. False says nothing.
  bool SurelyDiffers(int image, int value, const void* data) const;
  int64_t bytes() const { return bytes_per_image_ * static_cast<int64_t>(bases_.size()); }

 private:
  Arena arena_;
  std::vector<char*> bases_;      // by image
  std::vector<int64_t> offsets_;  // by value, -1 = not kept
  int64_t bytes_per_image_ = 0;
  std::vector<int64_t> pieces_at_;  // by value, in the pieces of an image; -1 = kept or constant
  int64_t pieces_bytes_ = 0;
  std::vector<std::string> pieces_;  // by image
  const TypedProgram* typed_ = nullptr;
  std::vector<OriginalRun> runs_;
};

// Which values are kept, by value, and what one image takes by it.
struct Keeping {
  std::vector<bool> kept;
  int64_t bytes_per_image = 0;
};
// What costs the least time: memory has to be touched, what is not kept is made again by each run
// that needs it, and what does not fit into the budget at once has the original run again chunk by
// chunk. Runs the original once, on zeros, to know how long its steps take; all values where the
// request does not say how many runs there will be.
Result<Keeping> ChooseKeeping(const Original& original, const LoadRequest& request);
// The values to keep where each of `images` images may use its share of the budget: those that are
// wanted, else those that live across every k-th cut between steps, for the least k that does.
std::vector<bool> ChooseKept(const Original& original, int64_t images, int64_t budget_bytes,
                             const std::vector<bool>& wanted = {});

}  // namespace mutatenn
