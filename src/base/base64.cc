// Three bytes to four letters and back.
#include "base/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mutatenn {
namespace {

constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> MakeValues() {
  std::array<signed char, 256> values{};
  for (signed char& value : values) value = -1;
  for (size_t i = 0; i < kLetters.size(); ++i)
    values[static_cast<unsigned char>(kLetters[i])] = static_cast<signed char>(i);
  return values;
}
constexpr std::array<signed char, 256> kValues = MakeValues();

}  // namespace

std::string ToBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k)
      three = three << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kLetters[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

Result<std::string> FromBase64(std::string_view text) {
  const auto damaged = Fail(Code::kInvalidInput, "bytes are damaged: not base64");
  if (text.size() % 4 != 0) return damaged;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t three = 0;
    size_t count = 3;
    for (size_t k = 0; k < 4; ++k) {
      const char letter = text[i + k];
      const bool padding =
          letter == '=' && i + 4 == text.size() && k >= 2 && (k == 3 || text[i + 3] == '=');
      const int value = kValues[static_cast<unsigned char>(letter)];
      if (padding) count = std::min(count, k - 1);
      if (!padding && value < 0) return damaged;
      three = three << 6 | static_cast<uint32_t>(padding ? 0 : value);
    }
    for (size_t k = 0; k < count; ++k) bytes += static_cast<char>(three >> (16 - 8 * k) & 255);
  }
  return bytes;
}

}  // namespace mutatenn
