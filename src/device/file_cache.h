// Files by their content, in a folder on the machine that runs mutants: sent once, whoever sends
// them.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

// "<hash>.so" for a library, "<hash>.bin" for anything else.
std::string ContentName(const std::string& path, std::string_view bytes);
bool IsContentName(const std::string& name);

// ~/.cache/mutatenn-worker
std::string DefaultCache();
// Which of a list of content names the folder lacks, as indices; what it has counts as used now.
// kInvalidInput for a name of another kind.
Result<Json> MissingFiles(const std::string& folder, const Json& names);
// kInvalidInput where the bytes are not those that the name says.
Status KeepFile(const std::string& folder, const std::string& name, std::string_view bytes);
// Removes what was used longest ago beyond so many bytes.
void EvictFiles(const std::string& folder, int64_t most_bytes);

}  // namespace mutatenn
