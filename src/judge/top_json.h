// Top lists as text, the form in which the store and the reports keep them: [[label, score], ...].
// JSON has no NaN or infinity: they are the strings "nan", "inf" and "-inf"; null is read as NaN.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "judge/judge.h"

namespace mutatenn {

Json TopToJson(const std::vector<Ranked>& top);
// `where` names the source in the error; kInvalidInput when the text has another form.
Result<std::vector<Ranked>> TopFromJson(const Json& json, const std::string& where);
// The same from text, ten times as fast on what TopToJson wrote: a campaign holds millions.
Result<std::vector<Ranked>> TopFromText(const std::string& text, const std::string& where);

}  // namespace mutatenn
