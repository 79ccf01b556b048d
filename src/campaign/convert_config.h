// The original tool's config.json (luludak/MutateNN) into a configuration of ours.
#pragma once

#include <string>
#include <vector>

#include "campaign/config.h"

namespace mutatenn {

struct ConvertedConfig {
  Json config;
  std::vector<std::string> notes;  // a line for every entry without meaning, or with another one
};
// `list`: which of its lists of mutations; the tool itself reads "mutations". kInvalidInput where
// `json` is no such file, or nothing of it is left.
Result<ConvertedConfig> ConvertToolConfig(const Json& json, const std::string& list,
                                          const OperatorCatalog& operators);

}  // namespace mutatenn
