// HMAC-SHA256 (FIPS 180-4, RFC 2104), random bytes and their hexadecimal form: for keys and for the
// challenge between a remote worker and its client. Content ids are made by hash.h instead.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mutatenn {

std::array<uint8_t, 32> Sha256(std::string_view bytes);
// 64 hexadecimal digits.
std::string HmacSha256(std::string_view secret, std::string_view message);
// 2 * `count` hexadecimal digits from the system's generator.
Result<std::string> RandomHex(size_t count);
// Takes as long for a wrong text as for the right one.
bool SameSecret(std::string_view a, std::string_view b);

}  // namespace mutatenn
