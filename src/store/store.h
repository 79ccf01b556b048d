// The campaign's one SQLite file (WAL), written by `mutatenn` alone: what was planned, what was
// built, every fate. Typed queries; knows no TVM. All fates of one mutant on one device from one
// chunk of images are one transaction, so that a SIGKILL at any moment loses only what was under
// way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace mutatenn {

struct StoredModel {
  std::string name, path, hash, graph_hash, layers_json;
};
struct StoredImage {
  std::string model, name, path, hash;
  int64_t truth = -1;      // class, -1 = not known
  int position = -1;       // in the fixed order; -1 until the originals ran
  std::string input_file;  // preprocessed tensor, relative to the campaign folder
};
struct StoredDevice {
  std::string name, target_json, canonical_target, session_json;
  int target_index = 0;  // devices with one target share programs and builds
  std::string cpu, tvm_version;
};
struct StoredProgram {
  std::string model;
  int target_index = 0;
  std::string program_json;
};
struct StoredPoint {
  std::string model, op_key;  // operator use: id + canonical parameters + positions
  int number = 0;             // order of enumeration
  std::string point_json;
};
struct StoredMutant {
  std::string model, id, op_id, op_key, category, level, place, points_json, use_json;
  bool selected = true;  // false: left out by max_mutants
};
struct StoredOperatorUse {  // population sizes, per model
  std::string model, op_key, op_id, category;
  int points = 0, mutants = 0, selected = 0;
};
struct StoredBuild {
  std::string model, mutant;
  int target_index = 0;
  std::string state, reason;  // "ok", "stillborn", "equivalent", "ignored"
  std::string program_json, diff, ir_kind;
  double seconds = 0;
};
struct StoredCode {  // of a build that is "ok"; builds of a target with equal codes run the same
  std::string model, mutant;
  int target_index = 0;
  std::string code;
};
struct StoredOriginal {
  std::string model, device, image;
  std::string top_json;  // [[label, score], ...]
  double seconds = 0;
};
struct StoredRepeat {  // the original run again and again on an image
  std::string model, device, image;
  int runs = 0;
  std::string labels_json;      // first label of each run
  std::string spread_json;      // by network output: largest difference between runs, null = NaN
  double reference_diff = 0;    // largest difference to the reference outputs
  bool reference_label = true;  // the first label is the reference's
};
struct StoredReferenceOutput {  // of the first device
  std::string model, image;
  int output = 0;
  std::string elements;  // float32, little endian, in hexadecimal
};
struct StoredVariant {  // other legal code for all steps of the original
  std::string model;
  int target_index = 0;
  std::string variant, program_json;
};
// How far legal code for one step differs by rounding alone, on the same inputs; of one output.
struct StoredFloor {
  std::string model, device;
  std::string step;      // "" = the whole network; `output` is then one of its outputs
  int output = 0;        // of the step
  int images = 0;        // that it was measured on
  double floor = 0;      // the larger of spread and distance: what differs by no more says nothing
  double spread = 0;     // largest difference of an element between two variants in float32
  double distance = 0;   // largest difference of an element of one to float64; NaN = not known
  double magnitude = 0;  // of the largest element in float64
};
struct StoredStepHash {  // of the original, on a device of a bitwise group
  std::string model, device, image;
  int number = 0;  // in program order; the last is the network's outputs, step ""
  std::string step, hash;
};
struct StoredGrowth {  // of a step, on one image, with another run (schema.cc says which)
  std::string model, mutant, device, against;
  int number = 0;
  std::string image, step, layer;
  double total = 0, scale = 0, local = 0, floor = 0;  // floor NaN = not measured
  int64_t nonfinite = 0;
  std::string died;
};
struct StoredFate {
  std::string model, mutant, device, image;
  std::string ending;    // "ok", "crashed", "timeout"
  std::string top_json;  // "[]" unless ok
  bool infected = false;
  int dirty_steps = 0;
  std::string first_step, first_layer;
  bool nonfinite = false;
  double max_abs_diff = 0, seconds = 0;
  std::string detail;
};
struct StoredMutantRun {  // after the first one, whose fate is a StoredFate
  std::string model, mutant, device, image;
  int run = 2;
  std::string ending;
  int64_t label = -1;  // the first one; -1 = the run gave none
};
struct StoredOutOfBounds {  // once per mutant and device
  std::string model, mutant, device, step, buffer;
  int64_t offset = 0;
};

class Store {
 public:
  // Creates the file and schema, or opens and migrates it. Refuses a file of a newer version, a
  // file that is no campaign, a read-only folder: one line naming the file and the remedy. Takes a
  // lock, so that two campaigns never write one file (kUnavailable names the other's pid).
  static Result<std::unique_ptr<Store>> Open(const std::string& path);
  // For reports: no lock, never writes.
  static Result<std::unique_ptr<Store>> OpenReadOnly(const std::string& path);
  virtual ~Store() = default;
  double busy_s() const { return busy_s_; }  // spent in queries and transactions

  // Free keys: campaign id, configuration text and hash, versions, rules_version, seed, ...
  virtual Status SetMeta(const std::string& key, const std::string& value) = 0;
  virtual Result<std::optional<std::string>> Meta(const std::string& key) = 0;
  virtual Result<std::map<std::string, std::string>> AllMeta() = 0;

  // Put* insert or replace by primary key; a vector is one transaction.
  virtual Status PutModels(const std::vector<StoredModel>&) = 0;
  virtual Status PutImages(const std::vector<StoredImage>&) = 0;
  virtual Status PutDevices(const std::vector<StoredDevice>&) = 0;
  virtual Status PutPrograms(const std::vector<StoredProgram>&) = 0;
  virtual Status PutPoints(const std::vector<StoredPoint>&) = 0;
  virtual Status PutMutants(const std::vector<StoredMutant>&) = 0;
  virtual Status PutOperatorUses(const std::vector<StoredOperatorUse>&) = 0;
  virtual Status PutBuilds(const std::vector<StoredBuild>&) = 0;
  virtual Status PutCodes(const std::vector<StoredCode>&) = 0;
  virtual Status PutOriginals(const std::vector<StoredOriginal>&) = 0;
  virtual Status PutRepeats(const std::vector<StoredRepeat>&) = 0;
  virtual Status PutReferenceOutputs(const std::vector<StoredReferenceOutput>&) = 0;
  virtual Status PutVariants(const std::vector<StoredVariant>&) = 0;
  virtual Status PutFloors(const std::vector<StoredFloor>&) = 0;
  virtual Status PutStepHashes(const std::vector<StoredStepHash>&) = 0;
  virtual Status PutGrowth(const std::vector<StoredGrowth>&) = 0;
  // One transaction; replaces fates of the same key.
  virtual Status PutFates(const std::vector<StoredFate>&,
                          const std::optional<StoredOutOfBounds>&) = 0;
  virtual Status PutMutantRuns(const std::vector<StoredMutantRun>&) = 0;
  virtual Status AddEvent(const std::string& kind, const std::string& text) = 0;

  virtual Result<std::vector<StoredModel>> Models() = 0;
  virtual Result<std::vector<StoredRepeat>> Repeats(const std::string& model) = 0;
  virtual Result<std::vector<StoredReferenceOutput>> ReferenceOutputs(const std::string& model) = 0;
  virtual Result<std::vector<StoredVariant>> Variants(const std::string& model,
                                                      int target_index) = 0;
  // By image, in program order.
  virtual Result<std::vector<StoredStepHash>> StepHashes(const std::string& model,
                                                         const std::string& device) = 0;
  // By mutant, device and other device, in program order.
  virtual Result<std::vector<StoredGrowth>> Growth(const std::string& model) = 0;
  // Empty where none were measured: floors are off, or the device is an accelerator.
  virtual Result<std::vector<StoredFloor>> Floors(const std::string& model,
                                                  const std::string& device) = 0;
  virtual Result<std::vector<StoredImage>> Images(
      const std::string& model) = 0;                        // by position, name
  virtual Result<std::vector<StoredDevice>> Devices() = 0;  // in order of insertion
  virtual Result<std::vector<StoredProgram>> Programs() = 0;
  virtual Result<std::vector<StoredPoint>> Points(const std::string& model) = 0;
  virtual Result<std::vector<StoredMutant>> Mutants(
      const std::string& model) = 0;  // insertion order
  virtual Result<std::vector<StoredOperatorUse>> OperatorUses() = 0;
  // Without program_json and diff (they are large); Build() has them.
  virtual Result<std::vector<StoredBuild>> Builds(const std::string& model) = 0;
  virtual Result<std::optional<StoredBuild>> Build(const std::string& model,
                                                   const std::string& mutant, int target_index) = 0;
  // Whole builds, program and diff included, one at a time, by mutant and target; as EachFate.
  virtual Status EachBuild(const std::string& model,
                           const std::function<Status(const StoredBuild&)>& visit) = 0;
  virtual Result<std::vector<StoredCode>> Codes(const std::string& model) = 0;
  virtual Result<std::vector<StoredOriginal>> Originals(const std::string& model) = 0;
  virtual Result<std::vector<StoredFate>> Fates(const std::string& model,
                                                const std::string& device) = 0;
  // All fates of a model, one at a time, by mutant, device (in the store's own order) and image.
  // `visit` must not use the store; its error ends the walk.
  virtual Status EachFate(const std::string& model,
                          const std::function<Status(const StoredFate&)>& visit) = 0;
  virtual Result<std::vector<StoredFate>> FatesOf(const std::string& model,
                                                  const std::string& mutant) = 0;
  // By mutant, image and run.
  virtual Result<std::vector<StoredMutantRun>> MutantRuns(const std::string& model,
                                                          const std::string& device) = 0;
  virtual Result<std::vector<StoredOutOfBounds>> OutOfBoundsOf(const std::string& model) = 0;
  virtual Result<std::vector<std::pair<std::string, std::string>>> Events() = 0;

 protected:
  double busy_s_ = 0;
};

// The store's file in a campaign folder.
inline std::string StorePath(const std::string& folder) { return folder + "/campaign.db"; }

}  // namespace mutatenn
