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

// NaN is larger than any number here: nothing is known then.
double Larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); }

int64_t FirstLabel(const OriginalRun& run) { return run.top.empty() ? -1 : run.top[0].label; }

}  // namespace

double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return kInfinity;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof a[i]) == 0) continue;
    largest = Larger(largest, std::isfinite(a[i]) && std::isfinite(b[i])
                                  ? std::abs(static_cast<double>(a[i]) - b[i])
                                  : NAN);
  }
  return largest;
}

Result<std::vector<ImageRepeats>> RepeatOriginals(Session& session,
                                                  const std::vector<ImageInput>& images,
                                                  const std::vector<OriginalRun>& first, int runs) {
  Result<std::vector<RepeatedRun>> result = session.Repeat(images, runs);
  if (!result.ok() && result.error().code == Code::kUnsupported) return std::vector<ImageRepeats>{};
  std::vector<RepeatedRun> repeated = TRY(std::move(result));
  for (size_t i = 0; i < repeated.size(); ++i)
    if (repeated[i].outputs.size() != first.size() ||
        (i > 0 && repeated[i].runs.size() != first.size()))
      return Fail(Code::kInternal, "the worker ran ", std::to_string(repeated[i].outputs.size()),
                  " of ", std::to_string(first.size()), " images");
  std::vector<ImageRepeats> repeats;
  for (size_t k = 0; k < first.size() && !repeated.empty(); ++k) {
    ImageRepeats entry{first[k].image, repeated[0].outputs[k], {FirstLabel(first[k])}, {}};
    entry.spread.resize(entry.outputs.size());
    for (size_t i = 1; i < repeated.size(); ++i) {
      entry.labels.push_back(FirstLabel(repeated[i].runs[k]));
      const auto& outputs = repeated[i].outputs[k];
      for (size_t o = 0; o < entry.spread.size() && o < outputs.size(); ++o)
        entry.spread[o] = Larger(entry.spread[o], LargestDifference(entry.outputs[o], outputs[o]));
    }
    repeats.push_back(std::move(entry));
  }
  return repeats;
}

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
            Larger(row.reference_diff, LargestDifference(known->second[o], entry.outputs[o]));
      const std::vector<float>& scores = known->second.at(0);
      const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
      row.reference_label = best == entry.labels[0];
    }
    rows.push_back(std::move(row));
  }
  if (!kept.empty()) TRY(store.PutReferenceOutputs(kept));
  return store.PutRepeats(rows);
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
    difference = Larger(difference, row.reference_diff);
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
