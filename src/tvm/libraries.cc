// Where the loader found the libraries, and their bytes to hashes.
#include "tvm/libraries.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tvm/ffi/c_api.h>
#include <tvm/runtime/device_api.h>
#include <unistd.h>

#include <filesystem>

#include "base/hash.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

fs::path LibraryOf(const void* symbol) {
  Dl_info info = {};
  return ::dladdr(symbol, &info) != 0 ? fs::path(info.dli_fname) : fs::path();
}

// Mapped: the compiler has 260 MB.
Result<std::string> HashFile(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (file < 0 || ::fstat(file, &status) != 0 || status.st_size == 0) {
    if (file >= 0) ::close(file);
    return Fail(Code::kIo, path.string(), ": cannot be read");
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  if (bytes == MAP_FAILED) return Fail(Code::kIo, path.string(), ": cannot be mapped");
  std::string hash = HashBytes({static_cast<const char*>(bytes), size});
  ::munmap(bytes, size);
  return hash;
}

}  // namespace

Result<Json> TvmLibraryHashes() {
  const fs::path functions = LibraryOf(reinterpret_cast<void*>(&TVMFFIFunctionCall));
  const fs::path runtime = LibraryOf(reinterpret_cast<void*>(&tvm::runtime::DeviceAPI::Get));
  fs::path compiler = runtime;
  compiler.replace_filename("libtvm_compiler.so");
  Json hashes = Json::object();
  std::error_code ignored;
  for (const fs::path& path : {functions, runtime, compiler})
    if (fs::exists(path, ignored)) hashes[path.filename().string()] = TRY(HashFile(path));
  return hashes;
}

}  // namespace mutatenn
