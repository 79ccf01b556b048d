// A built campaign's work for one device as one file, and the way home of its results.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct BundleOptions {
  std::string folder;  // the built campaign
  std::string device;  // its name; "" where there is one only
  std::string file;    // FILE.tar.zst
  std::string worker;  // folder with a worker and its libraries for the device; "" = this machine's
  // For a replay: one mutant on these images; "" = all there are.
  std::string model = {}, mutant = {};
  std::vector<std::string> images = {};
  Json replay = nullptr;  // Bundle::replay
};
Status WriteBundle(const BundleOptions& options);

struct ImportedResults {
  int fates = 0;
  std::vector<std::string> findings;  // about the device's originals; kept as events
};
// Stores what `mutatenn-worker run` wrote: what was measured of the originals first, then fates.
// What the store holds of the originals stays as it is. kInvalidInput: another campaign's; or the
// first device, whose outputs all others are compared with, has not run.
Result<ImportedResults> ImportResults(const std::string& folder, const std::string& file);

}  // namespace mutatenn
