// What the original is like on a device before any mutant runs there: the same result every time,
// and that of the campaign's first device, the reference? A mutant's difference means something
// only beyond that.
#pragma once

#include <string>
#include <vector>

#include "device/session.h"
#include "store/store.h"

namespace mutatenn {

struct ImageRepeats {
  std::string image;
  std::vector<std::vector<float>> outputs;  // of the first run
  std::vector<int64_t> labels;              // first label of each run
  std::vector<double> spread;               // by output; NaN where only one of two runs is finite
};

// Runs the original on `images`, which the session has loaded and run once (`first`), until there
// are `runs` runs. Empty where the session gives no outputs.
Result<std::vector<ImageRepeats>> RepeatOriginals(Session& session,
                                                  const std::vector<ImageInput>& images,
                                                  const std::vector<OriginalRun>& first, int runs);

// The largest difference between elements, NaN as above; other lengths differ by infinity.
double LargestDifference(const std::vector<float>& a, const std::vector<float>& b);

// Stores what `repeats` say of the device; the campaign's first device gives the reference.
Status StoreRepeats(Store& store, const std::string& model, const std::string& device,
                    bool is_reference, const std::vector<ImageRepeats>& repeats);

// One line about a device whose original is not the reference's or not always the same; "" = all is
// well. Over all images stored.
Result<std::string> FindingOf(Store& store, const std::string& model, const std::string& device);

}  // namespace mutatenn
