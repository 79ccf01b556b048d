// XXH3-128 of a byte string, printed in canonical (big-endian) order.
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mutatenn {

std::string HashBytes(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (unsigned char byte : canonical.digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

uint64_t Hash64(std::string_view bytes) { return XXH3_128bits(bytes.data(), bytes.size()).high64; }

}  // namespace mutatenn
