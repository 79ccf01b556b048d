// The HTML report of a campaign that is still running.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace mutatenn {

// Writes the report of `folder` to `file` when it is called, but at most once in `interval_s` and
// in at most a twentieth of the time. What goes wrong is left for the last writing to tell.
std::function<void()> LiveReport(const std::string& folder, const std::string& file,
                                 double interval_s = 60);
// At the end, whatever the time.
Status WriteHtmlReport(const std::string& folder, const std::string& file);

}  // namespace mutatenn
