// The comparisons of the original tool, of outputs that a campaign or an old tree of its files
// holds: which devices, variants (the original, mutants) and images there are, and what each run
// gave.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "judge/judge.h"

namespace mutatenn {

struct PaperOutput {
  std::vector<Ranked> top;
  double seconds = 0;
};
struct PaperRun {
  bool started = false;                // something was run, with whatever ending
  std::map<int, PaperOutput> outputs;  // by index of image
  double seconds = 0;
};
struct PaperVariant {
  std::string name;
  std::vector<PaperRun> devices;
};

struct PaperCampaign {
  std::string model;
  std::vector<std::string> devices;
  std::vector<std::string> files;      // of the images, as they are named in the comparisons
  std::vector<PaperVariant> variants;  // the original first
};

// A name as a folder or file of the tree.
std::string AsFileName(std::string name);

// ROOT/device_evaluation.json, device_discrepancies.json, DEVICE/same_folder.json and
// MODEL_output_stats_total_1.csv.
Status WritePaperComparisons(const PaperCampaign& campaign, const std::string& root);

}  // namespace mutatenn
