// Runs of the original to numbers about its device.
#include "campaign/repeats.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "base/json.h"

namespace mutatenn {
namespace {

// Instruction sets, fused or not, change a float32 network's outputs by some 1e-6 of their size;
// a wrong kernel changes them by more than this.
constexpr double kWrong = 1e-3;
// The floor of the network's outputs on a device; 0 = not measured.
Result<double> OutputFloor(Store& store, const std::string& model, const std::string& device) {
  double floor = 0;
  for (const StoredFloor& row : TRY(store.Floors(model, device)))
    if (row.step.empty()) floor = std::max(floor, row.floor);
  return floor;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string ToHex(const std::vector<float>& values) {
  std::string text;
  text.reserve(values.size() * 8);
  for (float value : values) {
    unsigned char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    for (unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  }
  return text;
}

std::vector<float> FromHex(const std::string& text) {
  std::vector<float> values(text.size() / 8);
  for (size_t i = 0; i < values.size(); ++i) {
    unsigned char bytes[sizeof(float)];
    for (size_t b = 0; b < sizeof bytes; ++b)
      bytes[b] = static_cast<unsigned char>(std::stoi(text.substr(8 * i + 2 * b, 2), nullptr, 16));
    std::memcpy(&values[i], bytes, sizeof bytes);
  }
  return values;
}

}  // namespace

Status StoreRepeats(Store& store, const std::string& model, const std::string& device,
                    bool is_reference, const std::vector<ImageRepeats>& repeats) {
  if (repeats.empty()) return Ok();
  std::map<std::string, std::vector<std::vector<float>>> reference;
  std::map<std::string, int64_t> label;
  if (!is_reference) {
    for (const StoredReferenceOutput& row : TRY(store.ReferenceOutputs(model)))
      reference[row.image].push_back(FromHex(row.elements));
  }
  std::vector<StoredReferenceOutput> kept;
  std::vector<StoredRepeat> rows;
  for (const ImageRepeats& entry : repeats) {
    StoredRepeat row{model, device, entry.image, static_cast<int>(entry.labels.size())};
    row.labels_json = DumpJson(entry.labels);
    Json spread = Json::array();
    for (double value : entry.spread) spread.push_back(std::isnan(value) ? Json() : Json(value));
    row.spread_json = DumpJson(spread);
    for (size_t o = 0; is_reference && o < entry.outputs.size(); ++o)
      kept.push_back({model, entry.image, static_cast<int>(o), ToHex(entry.outputs[o])});
    auto known = reference.find(entry.image);
    if (!is_reference && known == reference.end()) continue;  // the reference gave no outputs
    if (known != reference.end()) {
      row.reference_diff = known->second.size() == entry.outputs.size() ? 0 : kInfinity;
      for (size_t o = 0; o < entry.outputs.size() && o < known->second.size(); ++o)
        row.reference_diff =
            LargerOrNaN(row.reference_diff, LargestDifference(known->second[o], entry.outputs[o]));
      const std::vector<float>& scores = known->second.at(0);
      const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
      row.reference_label = best == entry.labels[0];
    }
    rows.push_back(std::move(row));
  }
  if (!kept.empty()) TRY(store.PutReferenceOutputs(kept));
  return store.PutRepeats(rows);
}

bool IsNoisy(const StoredRepeat& repeat) {
  const Result<Json> spread = ParseJson(repeat.spread_json, "the stored spread");
  return !spread.ok() ||
         std::any_of(spread->begin(), spread->end(), [](const Json& s) { return s != 0; });
}

Result<std::string> FindingOf(Store& store, const std::string& model, const std::string& device) {
  double scale = 0, difference = 0;
  int images = 0, labels = 0, unstable = 0;
  for (const StoredReferenceOutput& row : TRY(store.ReferenceOutputs(model)))
    for (float value : FromHex(row.elements))
      if (std::isfinite(value)) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (const StoredRepeat& row : TRY(store.Repeats(model))) {
    if (row.device != device) continue;
    ++images;
    labels += !row.reference_label;
    difference = LargerOrNaN(difference, row.reference_diff);
    Json each = TRY(ParseJson(row.labels_json, "the stored labels"));
    unstable += std::any_of(each.begin(), each.end(), [&](const Json& l) { return l != each[0]; });
  }
  // Both this device and the reference round as they like.
  const std::vector<StoredDevice> devices = TRY(store.Devices());
  double floor = TRY(OutputFloor(store, model, device));
  if (!devices.empty() && devices[0].name != device)
    floor += TRY(OutputFloor(store, model, devices[0].name));
  const double allowed = std::max(kWrong * scale, floor);
  std::string text;
  // Where outputs agree, another label is a tie that rounding decides.
  if (labels > 0 && !(difference <= allowed))
    text += fmt::format("; another label than the reference on {} of {} images", labels, images);
  if (std::isnan(difference))
    text += "; not finite where the reference is";
  else if (difference > allowed)
    text += fmt::format(
        "; outputs differ from the reference by up to {:.3g} (they reach {:.3g}; rounding alone "
        "{})",
        difference, scale, floor > 0 ? fmt::format("makes {:.3g}", floor) : "was not measured");
  if (unstable > 0)
    text += fmt::format("; {} of {} images change their label from run to run", unstable, images);
  if (text.empty()) return text;
  return fmt::format("the original of {} on {}: {}", model, device, text.substr(2));
}

}  // namespace mutatenn
