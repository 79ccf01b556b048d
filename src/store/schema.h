// The versions of the campaign file: migration n (from 1) turns a file of version n-1 into version
// n. PRAGMA user_version holds the version, PRAGMA application_id says that the file is ours.
#pragma once

#include <cstdint>
#include <span>

namespace mutatenn {

inline constexpr int64_t kApplicationId = 0x4d4e4e31;  // "MNN1"

// SQL scripts in order; a file's newest version is their number. Entries never change once
// released.
std::span<const char* const> Migrations();

}  // namespace mutatenn
