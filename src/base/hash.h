// 128-bit content hashes (XXH3), as 32 hexadecimal digits: ids of mutants, keys of the cache.
// Stable across machines and versions; not for security.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mutatenn {

std::string HashBytes(std::string_view bytes);
// First 8 bytes of the same hash as a number.
uint64_t Hash64(std::string_view bytes);

}  // namespace mutatenn
