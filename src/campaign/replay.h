// One fate of a campaign as one file, and its repetition anywhere. The file is a bundle (bundle.h)
// of one mutant; its key `replay` holds {model, mutant, operator, place, device: {name, target,
// cpu}, versions: {tool, tvm}, diff, originals: {image: top}, fates: {image: Fate as JSON},
// script: text, or no_script: why there is none}.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "campaign/rebuild.h"
#include "judge/judge.h"

namespace mutatenn {

// What `replay` of a bundle holds.
Result<Json> ReplayOf(const StoredCampaign& campaign, const StoredMutant& mutant,
                      const DeviceConfig& device, const std::vector<std::string>& images);

struct ReplayedRun {
  std::string image;
  std::string ending;            // "ok", "crashed", "timeout"
  std::vector<Ranked> original;  // here
  std::vector<Ranked> top;       // of the mutant, here
  std::string stored_ending;     // "" = the campaign did not run it
  std::vector<Ranked> stored_top;
  // The ending and the first label are the campaign's; nothing to compare with counts as agreed.
  bool agrees = true;
  double score_diff = 0;  // the largest over the top list's labels, by place; 0 = equal bits
};
struct Replayed {
  Json story;  // the file's
  std::vector<ReplayedRun> runs;
};
// The Python file that does the same with TVM and numpy only; kUnsupported says why there is none.
Result<std::string> ScriptOf(const std::string& file);

// Unpacks the file into a folder that disappears and runs it with this installation's worker.
Result<Replayed> Replay(const std::string& file);

}  // namespace mutatenn
