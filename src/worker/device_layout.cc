// Values, one behind the other.
#include "worker/device_layout.h"

#include <algorithm>

namespace mutatenn {
namespace {

int64_t RoundUp(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

DeviceLayout::DeviceLayout(const TypedProgram& typed, std::span<const int> in_order)
    : places(typed.program.values.size()), values(in_order.begin(), in_order.end()) {
  for (int value : values) {
    Place& place = places[static_cast<size_t>(value)];
    place.offset = bytes;
    place.bytes = typed.Bytes(value);
    place.room = RoundUp(place.bytes + kTail, kChunkBytes);
    place.number = static_cast<int>(count++);
    const int64_t words = (place.bytes + 3) / 4;
    for (int64_t at = 0; at < place.chunks(); ++at) {
      table.push_back(static_cast<uint32_t>(2 * place.number));
      table.push_back(
          static_cast<uint32_t>(std::clamp<int64_t>(words - at * kChunkWords, 0, kChunkWords)));
    }
    bytes += place.room;
  }
  bytes = RoundUp(std::max<int64_t>(bytes, 1), 4 * kDigestWords);
  while (static_cast<int64_t>(table.size()) < 2 * bytes / kChunkBytes) {
    table.push_back(static_cast<uint32_t>(2 * count));  // nobody's
    table.push_back(0);
  }
}

Result<LaidOut> LaidOut::Make(DeviceId device, const DeviceLayout& layout) {
  static_assert(kChunkBytes % kPartAlignment == 0);
  LaidOut made;
  made.whole = TRY(DeviceMemory::Allocate(device, layout.bytes));
  TRY(made.whole.Fill());
  made.parts.resize(layout.places.size());
  for (int value : layout.values)
    made.parts[static_cast<size_t>(value)] =
        TRY(made.whole.Part(layout[value].offset, layout[value].room));
  return made;
}

}  // namespace mutatenn
