// `positions` as JSON into Positions, and Positions into the numbers of the points picked.
#include "mutation/positions.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/number.h"

namespace mutatenn {
namespace {

Error NotUnderstood(const Json& json, const std::string& why = "") {
  std::string shown = json.is_string() ? "'" + json.get<std::string>() + "'" : DumpJson(json);
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  return Fail(Code::kInvalidInput, "is ", shown, why, "; it must be ", kPositionsForms);
}

std::optional<Positions::Range> ToRange(const std::string& text) {
  const size_t dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto from = NumberFrom<uint32_t>(text.substr(0, dash));
  if (from && dash + 1 == text.size()) return Positions::Range{*from, Positions::kToTheEnd};
  const auto to = NumberFrom<uint32_t>(text.substr(dash + 1));
  if (!from || !to || *from > *to) return std::nullopt;
  return Positions::Range{*from, *to};
}

Status AddNumber(const Json& item, const Json& whole, Positions* positions) {
  if (item.is_number_integer() && item >= 0 && item <= INT32_MAX) {
    const size_t number = item.get<size_t>();
    positions->ranges.push_back({number, number});
    return Ok();
  }
  const auto range = item.is_string() ? ToRange(item.get<std::string>()) : std::nullopt;
  if (!range)
    return NotUnderstood(whole, ", where " + DumpJson(item) + " is neither a number nor a range");
  positions->ranges.push_back(*range);
  return Ok();
}

Result<Positions> FromWord(const Json& json) {
  Positions positions;
  const std::string text = json.get<std::string>();
  if (text == "all") {
    positions.share = 1;
  } else if (text == "start") {
    positions.first = true;
  } else if (text == "end") {
    positions.last = true;
  } else if (text.ends_with('%')) {
    const auto percent = NumberFrom<double>(text.substr(0, text.size() - 1));
    if (!percent || !(*percent > 0 && *percent <= 100))
      return NotUnderstood(json, ", no percentage above 0 and up to 100");
    positions.share = *percent / 100;
  } else if (const auto range = ToRange(text)) {
    positions.ranges.push_back(*range);
  } else {
    return NotUnderstood(json);
  }
  return positions;
}

}  // namespace

Result<Positions> PositionsFromJson(const Json& json) {
  if (json.is_string()) return FromWord(json);
  if (json.is_object()) {
    const auto inner = json.find("per_kernel");
    if (json.size() != 1 || inner == json.end() || inner->is_object()) return NotUnderstood(json);
    Positions positions = TRY(PositionsFromJson(*inner));
    positions.per_kernel = true;
    return positions;
  }
  if (!json.is_array()) return NotUnderstood(json);
  if (json.empty()) return NotUnderstood(json, ", which picks nothing");
  Positions positions;
  for (const Json& item : json) TRY(AddNumber(item, json, &positions));
  return positions;
}

std::vector<size_t> Pick(const Positions& positions, size_t count) {
  std::vector<size_t> picked;
  if (count == 0) return picked;
  if (positions.first) return {0};
  if (positions.last) return {count - 1};
  if (positions.share > 0) {
    // Evenly spread over the program, the first point always among them.
    const auto wanted =
        std::clamp<size_t>(std::llround(positions.share * static_cast<double>(count)), 1, count);
    for (size_t i = 0; i < wanted; ++i) picked.push_back(i * count / wanted);
    return picked;
  }
  for (const Positions::Range& range : positions.ranges)
    for (size_t i = range.from; i <= range.to && i < count; ++i) picked.push_back(i);
  std::sort(picked.begin(), picked.end());
  picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
  return picked;
}

size_t LargestNumber(const Positions& positions) {
  size_t largest = 0;
  for (const Positions::Range& range : positions.ranges)
    largest = std::max(largest, range.to == Positions::kToTheEnd ? range.from : range.to);
  return largest;
}

}  // namespace mutatenn
