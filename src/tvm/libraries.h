// Which TVM this is, byte by byte: for a campaign's audit.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

// File name -> hash of TVM's libraries in use: its functions, its runtime, and the compiler beside
// it where there is one.
Result<Json> TvmLibraryHashes();

}  // namespace mutatenn
