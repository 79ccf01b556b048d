// Names, times of use and removal.
#include "device/file_cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/hash.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr size_t kHashDigits = 32;

}  // namespace

std::string ContentName(const std::string& path, std::string_view bytes) {
  return HashBytes(bytes) + (path.ends_with(".so") ? ".so" : ".bin");
}

bool IsContentName(const std::string& name) {
  if (name.size() < kHashDigits) return false;
  std::string end = name.substr(kHashDigits);
  return (end == ".so" || end == ".bin") &&
         name.substr(0, kHashDigits).find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string DefaultCache() {
  const char* home = std::getenv("HOME");
  return home != nullptr && *home ? std::string(home) + "/.cache/mutatenn-worker"
                                  : (fs::temp_directory_path() / "mutatenn-worker").string();
}

Result<Json> MissingFiles(const std::string& folder, const Json& names) {
  Json missing = Json::array();
  for (size_t i = 0; names.is_array() && i < names.size(); ++i) {
    if (!names[i].is_string() || !IsContentName(names[i].get<std::string>()))
      return Fail(Code::kInvalidInput, "a file with a name of its own");
    const fs::path path = fs::path(folder) / names[i].get<std::string>();
    std::error_code absent;
    fs::last_write_time(path, fs::file_time_type::clock::now(), absent);  // used: evicted last
    if (absent) missing.push_back(i);
  }
  return missing;
}

Status KeepFile(const std::string& folder, const std::string& name, std::string_view bytes) {
  if (ContentName(name, bytes) != name) return Fail(Code::kInvalidInput, name, " arrived damaged");
  return WriteFile(fs::path(folder) / name, bytes);
}

void EvictFiles(const std::string& folder, int64_t most_bytes) {
  struct File {
    fs::file_time_type used;
    fs::path path;
    int64_t bytes;
  };
  std::vector<File> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_regular_file(error))
      files.push_back({entry.last_write_time(error), entry.path(),
                       static_cast<int64_t>(entry.file_size(error))});
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.used > b.used; });
  int64_t kept = 0;
  for (const File& file : files)
    if ((kept += file.bytes) > most_bytes) fs::remove(file.path, error);
}

}  // namespace mutatenn
