// A purpose to an empty folder of its own.
#include "base/scratch_folder.h"

#include <stdlib.h>

namespace mutatenn {
namespace fs = std::filesystem;

Result<ScratchFolder> ScratchFolder::Make(const std::string& purpose) {
  std::string path = (fs::temp_directory_path() / ("mutatenn-" + purpose + "-XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr)
    return Fail(Code::kIo, path, ": cannot be made; is there room in TMPDIR?");
  return ScratchFolder(path);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace mutatenn
