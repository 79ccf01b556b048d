// What session.h leaves open of the protocol: lists of messages, and the envelope of every reply,
// {"ok": value} or {"error": {"code": number, "message": text}}.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "device/session.h"

namespace mutatenn {

Json ToJson(const std::vector<ImageInput>& images);
Result<std::vector<ImageInput>> ImageInputsFromJson(const Json& json);
Json ToJson(const std::vector<std::vector<float>>& outputs);
Result<std::vector<std::vector<float>>> OutputsFromJson(const Json& json);
Result<std::vector<OriginalRun>> OriginalRunsFromJson(const Json& json);
Result<std::vector<MutantDone>> MutantDonesFromJson(const Json& json);
Result<std::vector<MutantJob>> MutantJobsFromJson(const Json& json);

std::string SealReply(const Result<Json>& reply);
// The value of a reply, or the error in it with its own code.
Result<Json> OpenReply(const std::string& text);

}  // namespace mutatenn
