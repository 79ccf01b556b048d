// JSON as nlohmann's ordered type, so that what we write keeps the order in which we wrote it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace mutatenn {

using Json = nlohmann::ordered_json;

// Parses text; comments are allowed. `where` names the source in the error ("file.json").
Result<Json> ParseJson(const std::string& text, const std::string& where);
// Compact, UTF-8 safe (invalid bytes are replaced), one line.
std::string DumpJson(const Json& json);

}  // namespace mutatenn
