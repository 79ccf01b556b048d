// Ranked lists to JSON and back, with a spelling for scores that JSON cannot hold.
#include "judge/top_json.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace mutatenn {
namespace {

// [[1,2.5],[3,0.5]] without blanks and strings; false leaves `top` undefined.
bool ReadPlain(const std::string& text, std::vector<Ranked>& top) {
  const char* at = text.data();
  const char* end = at + text.size();
  auto take = [&](char c) { return at < end && *at == c && (++at, true); };
  auto number = [&](auto& value) {
    auto [after, error] = std::from_chars(at, end, value);
    at = after;
    return error == std::errc();
  };
  if (!take('[')) return false;
  if (take(']')) return at == end;
  top.reserve(8);  // the usual `top_k` of 5, in one piece
  do {
    Ranked entry;
    if (!take('[') || !number(entry.label) || !take(',') || at == end || *at == 'n' || *at == 'i')
      return false;
    if (!number(entry.score) || !take(']')) return false;
    top.push_back(entry);
  } while (take(','));
  return take(']') && at == end;
}

}  // namespace

Result<std::vector<Ranked>> TopFromText(const std::string& text, const std::string& where) {
  std::vector<Ranked> top;
  if (ReadPlain(text, top)) return top;
  return TopFromJson(TRY(ParseJson(text, where)), where);
}

Json TopToJson(const std::vector<Ranked>& top) {
  Json list = Json::array();
  for (const Ranked& entry : top) {
    Json score = entry.score;
    if (std::isnan(entry.score)) score = "nan";
    if (std::isinf(entry.score)) score = entry.score > 0 ? "inf" : "-inf";
    list.push_back(Json::array({entry.label, score}));
  }
  return list;
}

Result<std::vector<Ranked>> TopFromJson(const Json& json, const std::string& where) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Error malformed = Fail(Code::kInvalidInput, where, ": expected [[label, score], ...]");
  if (!json.is_array()) return malformed;
  std::vector<Ranked> top;
  for (const Json& entry : json) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_number_integer()) return malformed;
    Ranked ranked{entry[0].get<int64_t>(), 0};
    if (entry[1].is_number()) {
      ranked.score = entry[1].get<double>();
    } else if (entry[1].is_null() || entry[1] == "nan") {
      ranked.score = std::numeric_limits<double>::quiet_NaN();
    } else if (entry[1] == "inf" || entry[1] == "-inf") {
      ranked.score = entry[1] == "inf" ? kInfinity : -kInfinity;
    } else {
      return malformed;
    }
    top.push_back(ranked);
  }
  return top;
}

}  // namespace mutatenn
