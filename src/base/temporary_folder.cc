// mkdtemp and remove_all.
#include "base/temporary_folder.h"

#include <stdlib.h>

#include <filesystem>

namespace mutatenn {
namespace fs = std::filesystem;

Result<TemporaryFolder> TemporaryFolder::Make(const std::string& purpose) {
  std::string path = (fs::temp_directory_path() / ("mutatenn-" + purpose + "-XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr)
    return Fail(Code::kIo, path, ": cannot be made; is there room in TMPDIR?");
  return TemporaryFolder(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace mutatenn
