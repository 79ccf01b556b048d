// Text to a number: all of the text, or nothing.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace mutatenn {

// No value when `text` is empty, holds more than the number, or the number does not fit into T.
template <class T>
std::optional<T> NumberFrom(std::string_view text) {
  T number{};
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (text.empty() || error != std::errc() || end != last) return std::nullopt;
  return number;
}

}  // namespace mutatenn
