// What session.h leaves open of the protocol: lists of messages.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "device/reply.h"
#include "device/session.h"

namespace mutatenn {

Json ToJson(const std::vector<ImageInput>& images);
Result<std::vector<ImageInput>> ImageInputsFromJson(const Json& json);
Json ToJson(const std::vector<std::vector<float>>& outputs);
Result<std::vector<std::vector<float>>> OutputsFromJson(const Json& json);
Result<std::vector<OriginalRun>> OriginalRunsFromJson(const Json& json);
Result<std::vector<MutantDone>> MutantDonesFromJson(const Json& json);
Result<std::vector<MutantJob>> MutantJobsFromJson(const Json& json);

}  // namespace mutatenn
