// The whole campaign as the reports need it: read from the store once, joined, and judged, with a
// few bytes kept of each fate. Everything is in a fixed order that does not depend on how the
// campaign was run (jobs, chunks, resuming).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/compare.h"
#include "analysis/marks.h"
#include "base/json.h"
#include "base/result.h"
#include "judge/judge.h"
#include "store/store.h"

namespace mutatenn {

// What is kept of a fate.
struct Outcome {
  int32_t image = 0;   // index into ModelView::images
  int32_t label = -1;  // the first one, -1 = no output
  Ending ending = Ending::kOk;
  bool kills = false;  // crashed, timed out, or by the kill rule (`top1` under acceptance limits)
                       // on an image that is stable on the device
  bool infected = false;
  bool nonfinite = false;
  float margin = 0;  // between the mutant's first and second label
  double max_abs_diff = 0;
  double seconds = 0;
};

// One mutant on one device. An empty optional is "not known because not run", never zero.
struct DeviceResult {
  Judgement judgement;
  Verdict top1 = Verdict::kPending;  // the verdict by `top1`, whatever the rule
  std::vector<Outcome> outcomes;  // judged ones, in image order (`early`: up to the deciding one)
  std::vector<Fate> fates;        // the same fates whole, only with ReadOptions::keep_fates
  std::optional<OutOfBounds> out_of_bounds;
  int images_ended = 0;                                 // fates of any ending
  bool complete = false;                                // every planned image has ended
  std::optional<int> images_differing, images_correct;  // of images_compared, when complete
  std::optional<bool> degenerate;  // when complete, or when too few images are planned to ever be
  std::optional<bool> nonfinite;   // on some image that was run
  std::optional<std::string>
      first_diverging_layer;      // on the deciding image, else the first infected
  std::optional<double> seconds;  // of all fates
  std::string same_as;            // the mutant whose fates these are, as both run the same code
};

struct MutantView {
  StoredMutant stored;
  std::optional<Mark> mark;           // what people said of it
  Json points;                        // array of mutation points
  Json parameters;                    // of the operator's use; null when not stored
  std::vector<DeviceResult> devices;  // in the order of CampaignView::devices
};

struct OriginalResult {
  std::vector<Ranked> top;
  std::optional<bool> correct;  // empty when the truth is not known
  double seconds = 0;
  Repeats repeats;
};

struct ModelView {
  StoredModel stored;
  std::vector<StoredImage> images;      // in the fixed order of images
  std::vector<StoredOperatorUse> uses;  // by operator id and key
  // [device][image]; empty where the original did not run.
  std::vector<std::vector<std::optional<OriginalResult>>> originals;
  // [device]: the largest difference of an output that says nothing there (judge/noise_rule.h).
  // Empty where the original's runs were not repeated.
  std::vector<std::optional<double>> noise;
  std::vector<MutantView> mutants;            // selected ones, by operator, point, id
  std::vector<DeviceComparison> comparisons;  // of all pairs of devices, first device first
  int unselected = 0;  // left out by max_mutants: counted, neither judged nor reported
};

struct CampaignView {
  std::map<std::string, std::string> meta;  // the keys of kMetaKeys that the store has
  bool full_matrix = false;
  int top_k = 0;  // labels kept of an output; 0 = not known
  KillRule rule;
  std::vector<Mark> marks;
  std::vector<StoredDevice> devices;  // in the configuration's order, else the store's
  std::vector<ModelView> models;

  Store* store = nullptr;  // it was read from, for what is not kept here

  const std::string* Meta(const std::string& key) const;
};

// The keys of a campaign's meta table that reports use. Of each list the first key present counts
// and is known by the first name.
inline const std::vector<std::vector<std::string>> kMetaKeys = {
    {"campaign_id", "campaign"},
    {"tool_version"},
    {"tvm_version"},
    {"config_hash", "configuration_hash"},
    {"config", "configuration"},
    {"rules_version"},
    {"matrix"},
    {"kill"},
    {"timing"},
    {"top_k"},
    {"seed"},
    {"level"},
    {"created_epoch"}};

struct ReadOptions {
  std::optional<KillRule> rule = {};  // the campaign's own unless given
  std::vector<Mark> marks = {};
  bool keep_fates = false;  // of small campaigns: hundreds of bytes a fate
};

// kInvalidInput names the row when stored text is not what it should be. The store must outlive the
// view.
Result<CampaignView> ReadCampaign(Store& store, const ReadOptions& options = {});

}  // namespace mutatenn
