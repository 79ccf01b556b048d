// Text to JSON and back without exceptions.
#include "base/json.h"

namespace mutatenn {

Result<Json> ParseJson(const std::string& text, const std::string& where) {
  try {
    return Json::parse(text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const Json::exception& e) {  // parse_error, and out_of_range for a number such as 1e999
    std::string what = e.what();
    if (auto at = what.find("] "); at != std::string::npos) what = what.substr(at + 2);
    return Fail(Code::kInvalidInput, where, ": not valid JSON: ", what);
  }
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace mutatenn
