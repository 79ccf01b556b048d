// Whole files, written aside and renamed so that a reader never sees half of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mutatenn {

Result<std::string> ReadFile(const std::filesystem::path& path);
// `bytes` of it from `offset` on; a shorter file is an error.
Result<std::string> ReadBytes(const std::filesystem::path& path, int64_t offset, int64_t bytes);
// Atomic: a temporary file in the same folder, then rename. Full disk and missing permission are
// kIo.
Status WriteFile(const std::filesystem::path& path, std::string_view bytes);
Status MakeDirectories(const std::filesystem::path& path);
// Hard link where the file system allows it, else a copy; an existing destination is left alone.
Status LinkOrCopy(const std::filesystem::path& from, const std::filesystem::path& to);
// The folder of this program's executable.
std::filesystem::path ExecutableDirectory();

}  // namespace mutatenn
