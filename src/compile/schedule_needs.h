// What a child needs of the front end for a GPU, as text for the process that owns it: kernels, by
// name of their keys in one module, to be scheduled for one of the generator's targets.
#pragma once

#include <optional>
#include <string>

namespace mutatenn {

std::string PackScheduleNeed(int target, const std::string& module_json);
// The module, where the text is such a need; sets `target`.
std::optional<std::string> ScheduleNeed(const std::string& text, int* target);

}  // namespace mutatenn
