// A campaign's work for one device as files, for a machine that no network reaches: bundle.json (a
// list of the parts below, one a model), files/ (by content, wire.h), bin/ (worker and runtime).
// What `mutatenn-worker run` makes of it is a file of lines, each {"model": name} with "original"
// (an OriginalRun), what else was measured of the original (device/originals.h: "repeats",
// "floors", "hashes") or "done" (a MutantDone); the first one names campaign and device.
#pragma once

#include <string>
#include <vector>

#include "device/originals.h"

namespace mutatenn {

struct BundlePart {
  std::string model;
  LoadRequest request;               // root and scratch are empty
  std::vector<ImageInput> images;    // files: names in files/
  bool order_fixed = false;          // else the runner orders them as a campaign does
  OriginalPlan before = {};          // measured before the first mutant
  std::vector<MutantJob> jobs = {};  // without images: all of them
};
struct Bundle {
  std::string campaign, device;
  std::vector<BundlePart> parts;
  Json replay = nullptr;  // of one mutant: what the campaign says of it (campaign/replay.h)
};

Json ToJson(const Bundle& bundle);
Result<Bundle> BundleFromJson(const Json& json);

// Images that decide least come first: margins by image, ties by name.
void OrderByMargin(const std::vector<OriginalRun>& runs, std::vector<ImageInput>* images);

}  // namespace mutatenn
