// Bytes as text that any channel carries (RFC 4648, with padding).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mutatenn {

std::string ToBase64(std::string_view bytes);
// kInvalidInput for what ToBase64 does not write.
Result<std::string> FromBase64(std::string_view text);

}  // namespace mutatenn
