// The whole campaign as the reports need it: read from the store once, joined, and judged.
// Everything is in a fixed order that does not depend on how the campaign was run (jobs, chunks,
// resuming).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "judge/judge.h"
#include "store/store.h"

namespace mutatenn {

// One mutant on one device. An empty optional is "not known because not run", never zero.
struct DeviceResult {
  Judgement judgement;
  std::vector<Fate> fates;  // that were judged, in image order (`early`: up to the deciding one)
  std::vector<int> images;  // of each fate: index into ModelView::images
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
  Json points;                        // array of mutation points
  Json parameters;                    // of the operator's use; null when not stored
  std::vector<DeviceResult> devices;  // in the order of CampaignView::devices
};

struct OriginalResult {
  std::vector<Ranked> top;
  std::optional<bool> correct;  // empty when the truth is not known
  double seconds = 0;
};

struct ModelView {
  StoredModel stored;
  std::vector<StoredImage> images;      // in the fixed order of images
  std::vector<StoredOperatorUse> uses;  // by operator id and key
  // [device][image]; empty where the original did not run.
  std::vector<std::vector<std::optional<OriginalResult>>> originals;
  std::vector<MutantView> mutants;  // selected ones, by operator, point, id
  int unselected = 0;               // left out by max_mutants: counted, neither judged nor reported
};

struct CampaignView {
  std::map<std::string, std::string> meta;  // the keys of kMetaKeys that the store has
  bool full_matrix = false;
  std::vector<StoredDevice> devices;  // in the configuration's order, else the store's
  std::vector<ModelView> models;

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

// kInvalidInput names the row when stored text is not what it should be.
Result<CampaignView> ReadCampaign(Store& store);

}  // namespace mutatenn
