// What the original alone was like on each device: whether it repeats itself, how far it is from
// the first device, how far legal code for its steps differs.
#include "report/device_noise.h"

#include <algorithm>
#include <cmath>

#include "analysis/originals.h"

namespace mutatenn {
namespace {

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// The largest; null where one is.
void Raise(Json& largest, const Json& value) {
  if (largest.is_null() || value.is_null())
    largest = nullptr;
  else
    largest = std::max(largest.get<double>(), value.get<double>());
}

}  // namespace

Result<Json> DeviceNoiseJson(const CampaignView& view, const ModelView& model) {
  Json list = Json::array();
  const auto repeats = TRY(view.store->Repeats(model.stored.name));
  for (const StoredDevice& device : view.devices) {
    int images = 0, runs = 0, other_labels = 0;
    Json spread = 0.0, reference_diff = 0.0, unstable = Json::array(), floors = Json::array();
    for (const StoredRepeat& row : repeats) {
      if (row.device != device.name) continue;
      ++images;
      runs = std::max(runs, row.runs);
      other_labels += !row.reference_label;
      for (const Json& value : TRY(ParseJson(row.spread_json, "the stored spread")))
        Raise(spread, value);
      Raise(reference_diff, Number(row.reference_diff));
      if (!TRY(RepeatsOf(row)).Stable()) unstable.push_back(row.image);
    }
    for (const StoredFloor& row : TRY(view.store->Floors(model.stored.name, device.name)))
      floors.push_back({{"step", row.step.empty() ? Json(nullptr) : Json(row.step)},
                        {"output", row.output},
                        {"images", row.images},
                        {"floor", Number(row.floor)},
                        {"spread", Number(row.spread)},
                        {"distance", Number(row.distance)},
                        {"magnitude", Number(row.magnitude)}});
    if (images == 0 && floors.empty()) continue;
    list.push_back({{"device", device.name},
                    {"images", images},
                    {"runs", runs},
                    {"spread", spread},
                    {"reference_diff", reference_diff},
                    {"other_labels", other_labels},
                    {"unstable_images", unstable},
                    {"floors", floors}});
  }
  return list;
}

std::optional<double> OutputFloor(const CampaignView& view, const std::string& model,
                                  const std::string& device) {
  std::optional<double> largest;
  auto floors = view.store->Floors(model, device);
  if (!floors.ok()) return largest;
  for (const StoredFloor& row : *floors)
    if (row.step.empty()) largest = std::max(largest.value_or(0), row.floor);
  return largest;
}

}  // namespace mutatenn
