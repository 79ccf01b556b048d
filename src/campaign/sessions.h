// Where a device is: the `session` of a device in the configuration, checked, and opened.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "campaign/config.h"
#include "device/session.h"

namespace mutatenn {

// `session` with defaults filled in and the path of its secret resolved. Errors start with `where`
// and the key's path, as CheckObject's do.
Result<Json> CheckSession(
    const Json& session, const std::string& where, const std::string& path,
    const std::function<Result<std::string>(const std::string& path, const std::string& key)>&
        resolve);

Result<std::unique_ptr<Session>> OpenSession(const DeviceConfig& device,
                                             const std::string& scratch);

}  // namespace mutatenn
