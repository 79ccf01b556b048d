// The difference of two texts as a unified diff, for IR before and after a mutation.
#pragma once

#include <string>

namespace mutatenn {

// Lines of `before` and `after` with `context` equal lines around each change; "" where equal.
std::string UnifiedDiff(const std::string& before, const std::string& after, int context = 3);

}  // namespace mutatenn
