// `mutatenn-worker run BUNDLE`: a campaign's work for one device on a machine of its own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace mutatenn {

// BUNDLE is the .tar.zst file (unpacked beside it, by tar) or the folder it was unpacked into.
// Writes BUNDLE.results.jsonl, or --out FILE; what that holds already is not run again.
Status RunBundle(const std::vector<std::string>& arguments);

}  // namespace mutatenn
