// Ranked lists to JSON and back, with a spelling for scores that JSON cannot hold.
#include "judge/top_json.h"

#include <cmath>
#include <limits>

namespace mutatenn {

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
