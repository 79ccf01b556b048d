// The tool's version, stored with every campaign; CMakeLists.txt and pyproject.toml say the same.
#pragma once

namespace mutatenn {

inline constexpr const char* kToolVersion = "0.1.0";

}  // namespace mutatenn
