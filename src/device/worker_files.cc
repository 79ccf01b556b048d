// A folder's files, or what the loader has loaded.
#include "device/worker_files.h"

#include <link.h>

#include <vector>

#include "base/files.h"
#include "tvm/accelerator.h"

namespace mutatenn {
namespace fs = std::filesystem;

Result<std::map<std::string, fs::path>> WorkerFiles(const std::string& folder,
                                                    const std::string& kind) {
  std::map<std::string, fs::path> files;
  if (!folder.empty()) {
    if (!fs::exists(fs::path(folder) / "mutatenn-worker"))
      return Fail(Code::kNotFound, folder, ": holds no mutatenn-worker");
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_regular_file()) files[entry.path().filename()] = entry.path();
    return files;
  }
  files["mutatenn-worker"] = ExecutableDirectory() / "mutatenn-worker";
  // By the names that the loader asks for, which may be links to others.
  std::vector<std::string> libraries = AcceleratorLibraries(kind);
  ::dl_iterate_phdr(
      [](dl_phdr_info* loaded, size_t, void* found) {
        const std::string name = fs::path(loaded->dlpi_name).filename();
        for (const char* shared :
             {"libtvm_ffi.so", "libtvm_runtime.so", "libfmt.so", "libspdlog.so"})
          if (name.starts_with(shared))
            static_cast<std::vector<std::string>*>(found)->push_back(loaded->dlpi_name);
        return 0;
      },
      &libraries);
  for (const fs::path library : libraries) files[library.filename()] = library;
  return files;
}

}  // namespace mutatenn
