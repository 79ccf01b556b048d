// The configuration's "operators" into uses of operators: ids, presets, groups, users' own files.
// Internal to this room.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "campaign/config.h"

namespace mutatenn {

// An existing file's absolute path, from what the key `key` says.
using ResolveFile =
    std::function<Result<std::string>(const std::string& path, const std::string& key)>;

// `entries`: checked by the table of keys. `normal`: the same uses, each as an entry of its own
// with every parameter. `catalog` null: `entries` are of that form already.
Result<std::vector<OperatorUse>> ReadOperators(const Json& entries, const std::string& where,
                                               const OperatorCatalog* catalog,
                                               const ResolveFile& resolve, Json* normal);

}  // namespace mutatenn
