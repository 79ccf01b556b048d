// What is asked of a device about the original before any mutant runs there, over any session: does
// it repeat itself, how far may legal code differ, what does every step make. The same for a
// campaign and for a bundle's runner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "device/session.h"

namespace mutatenn {

struct ImageRepeats {
  std::string image;
  std::vector<std::vector<float>> outputs;  // of the first run
  std::vector<int64_t> labels;              // first label of each run
  std::vector<double> spread;               // by output; NaN where only one of two runs is finite
  // Of workers behind one session that do not all repeat the first run: the largest difference of
  // an output to the worker's own first run, and to the first run of all.
  struct Noise {
    double own = 0, to_first = 0;
  };
  std::map<std::string, Noise> workers = {};
};

// Runs the original on `images`, which the session has loaded and run once (`first`), until there
// are `runs` runs: of all its workers, so that labels and spread are those of the noisiest. Empty
// where the session gives no outputs.
Result<std::vector<ImageRepeats>> RepeatOriginals(Session& session,
                                                  const std::vector<ImageInput>& images,
                                                  const std::vector<OriginalRun>& first, int runs);

// The same of runs that are there: RepeatedRun of `first` and later ones.
Result<std::vector<ImageRepeats>> SummarizeRepeats(const std::vector<OriginalRun>& first,
                                                   std::vector<RepeatedRun> repeated);

// The largest difference between elements, NaN as above; other lengths differ by infinity.
double LargestDifference(const std::vector<float>& a, const std::vector<float>& b);
// NaN is larger than any number here: nothing is known then.
double LargerOrNaN(double a, double b);

// A line for each worker with noise of its own, over all images.
std::vector<std::string> NoiseOfWorkers(const std::vector<ImageRepeats>& repeats);

// Asks on the first `count` of the loaded images, by name; empty where the device measures none.
Result<std::vector<StepFloor>> MeasureFloors(Session& session, FloorRequest request,
                                             std::vector<std::string> images, int count);

// Every step's outputs on loaded images and, as step "", the network's; of a device that hashes no
// steps, these alone.
Result<std::vector<ImageHashes>> HashOriginal(Session& session,
                                              const std::vector<std::string>& images);

// What of it is wanted.
struct OriginalPlan {
  int repeats = 1;  // runs of the original
  std::optional<FloorRequest> floors;
  int floor_images = 0;
  bool hashes = false;
};
Json ToJson(const OriginalPlan& plan);
Result<OriginalPlan> OriginalPlanFromJson(const Json& json);
Json ToJson(const ImageRepeats& repeats);
Result<ImageRepeats> ImageRepeatsFromJson(const Json& json);

}  // namespace mutatenn
