// Stored outputs to top lists by device and image; stored repeats to numbers of labels, and to a
// limit by device.
#include "analysis/originals.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"
#include "judge/noise_rule.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

// NaN is larger than any number: nothing is known then.
double Larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); }

using Index = std::map<std::string, size_t>;

Status ReadOutputs(Store& store, const Index& devices, const Index& images, ModelView& model) {
  model.originals.assign(devices.size(),
                         std::vector<std::optional<OriginalResult>>(model.images.size()));
  for (const StoredOriginal& row : TRY(store.Originals(model.stored.name))) {
    auto image = images.find(row.image);
    auto device = devices.find(row.device);
    if (image == images.end() || device == devices.end()) continue;
    OriginalResult original;
    original.top = TRY(TopFromText(row.top_json, "the stored output of the original on " +
                                                     row.image + ", device " + row.device));
    original.seconds = row.seconds;
    int64_t truth = model.images[image->second].truth;
    if (truth >= 0) original.correct = !original.top.empty() && original.top.front().label == truth;
    model.originals[device->second][image->second] = std::move(original);
  }
  return Ok();
}

Status ReadRepeats(Store& store, const Index& devices, const Index& images, ModelView& model) {
  std::vector<int> runs(devices.size());
  std::vector<double> largest(devices.size());
  for (const StoredRepeat& row : TRY(store.Repeats(model.stored.name))) {
    auto device = devices.find(row.device);
    auto image = images.find(row.image);
    if (device == devices.end() || image == images.end()) continue;
    const size_t d = device->second;
    const std::string where = "the stored repeats of " + row.image + ", device " + row.device;
    const Json spreads = TRY(ParseJson(row.spread_json, where));
    for (const Json& spread : spreads)
      largest[d] = Larger(largest[d], spread.is_number() ? spread.get<double>() : NAN);
    runs[d] = std::max(runs[d], row.runs);
    auto& original = model.originals[d][image->second];
    if (original) original->repeats = TRY(RepeatsOf(row));
  }
  model.noise.assign(devices.size(), std::nullopt);
  for (const auto& [name, d] : devices) {
    if (runs[d] <= 1) continue;
    double floor = 0;  // of the network's outputs
    for (const StoredFloor& row : TRY(store.Floors(model.stored.name, name)))
      if (row.step.empty()) floor = Larger(floor, row.floor);
    model.noise[d] = NoiseLimit(largest[d], floor);
  }
  return Ok();
}

}  // namespace

Result<Repeats> RepeatsOf(const StoredRepeat& row) {
  const Json labels = TRY(
      ParseJson(row.labels_json, "the stored labels of " + row.image + ", device " + row.device));
  Repeats repeats;
  if (!labels.is_array() || labels.empty()) return repeats;
  repeats.runs = static_cast<int>(labels.size()) - 1;
  for (const Json& label : labels) repeats.other_labels += label != labels.front();
  return repeats;
}

Result<std::set<std::string>> UnstableImages(Store& store, const std::string& model,
                                             const std::string& device) {
  std::set<std::string> images;
  for (const StoredRepeat& row : TRY(store.Repeats(model)))
    if (row.device == device && !TRY(RepeatsOf(row)).Stable()) images.insert(row.image);
  return images;
}

Status ReadOriginals(Store& store, const std::vector<StoredDevice>& devices, ModelView& model) {
  Index of_device, of_image;
  for (size_t d = 0; d < devices.size(); ++d) of_device[devices[d].name] = d;
  for (size_t i = 0; i < model.images.size(); ++i) of_image[model.images[i].name] = i;
  TRY(ReadOutputs(store, of_device, of_image, model));
  return ReadRepeats(store, of_device, of_image, model);
}

}  // namespace mutatenn
