// Where values lie in one piece of a device's memory: each from a chunk's start on, bytes of ones
// behind it, so that one kernel compares all of them, and one copy fills or moves any run of them.
#pragma once

#include <span>
#include <vector>

#include "program/device_tools.h"
#include "tvm/accelerator.h"
#include "worker/tensors.h"

namespace mutatenn {

// Bytes behind every buffer, at least: all ones. A read beyond is NaN, a write beyond is seen.
inline constexpr int64_t kTail = 256;

struct DeviceLayout {
  // In this order; others have no place. The program may be gone afterwards.
  DeviceLayout(const TypedProgram& typed, std::span<const int> values);

  struct Place {
    int64_t offset = -1, bytes = 0;  // of the value
    int64_t room = 0;                // until the next one
    int number = -1;                 // among those with a place
    int64_t chunk() const { return offset / kChunkBytes; }
    int64_t chunks() const { return room / kChunkBytes; }
  };
  const Place& operator[](int value) const { return places[static_cast<size_t>(value)]; }
  bool Has(int value) const { return (*this)[value].number >= 0; }
  int64_t FlagWords() const { return 2 * (count + 1); }  // for the table below
  int64_t Rounds() const { return bytes / (4 * kDigestWords); }

  std::vector<Place> places;    // by value
  std::vector<int> values;      // in order
  std::vector<uint32_t> table;  // kDifferKernel's: flag 2 * number for the value, + 1 for behind it
  int64_t bytes = 0;            // of all, a multiple of what kDigestKernel needs
  int64_t count = 0;
};

// Memory laid out like that.
struct LaidOut {
  DeviceMemory whole;
  std::vector<DeviceMemory> parts;  // by value, empty for those without a place

  static Result<LaidOut> Make(DeviceId device, const DeviceLayout& layout);  // all ones
  void* at(int value) const { return parts[static_cast<size_t>(value)].data(); }
};

}  // namespace mutatenn
