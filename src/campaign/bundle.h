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

// Stores what `mutatenn-worker run` wrote: originals and fates that the campaign lacks. Gives the
// number of fates.
Result<int> ImportResults(const std::string& folder, const std::string& file);

}  // namespace mutatenn
