// The worker of this build, or of one for another machine, as the files that it needs elsewhere.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace mutatenn {

// Name there -> file here. `folder` "" is this program's own worker, with the libraries it shares
// with it but for the system's own and those that run kernels of `kind`; else all that a folder of
// `make worker-aarch64` holds. kNotFound: no worker in it.
Result<std::map<std::string, std::filesystem::path>> WorkerFiles(const std::string& folder,
                                                                 const std::string& kind);

}  // namespace mutatenn
