// Bundles to JSON and back, and the order of images.
#include "device/bundle.h"

#include <algorithm>
#include <map>

#include "device/remote.h"
#include "judge/judge.h"

namespace mutatenn {
namespace {

constexpr int kVersion = 1;

}  // namespace

Json ToJson(const Bundle& bundle) {
  Json parts = Json::array();
  for (const BundlePart& part : bundle.parts) {
    Json jobs = Json::array();
    for (const MutantJob& job : part.jobs) jobs.push_back(ToJson(job));
    parts.push_back({{"model", part.model},
                     {"request", ToJson(part.request)},
                     {"images", ToJson(part.images)},
                     {"order_fixed", part.order_fixed},
                     {"before", ToJson(part.before)},
                     {"jobs", jobs}});
  }
  return {{"version", kVersion},
          {"campaign", bundle.campaign},
          {"device", bundle.device},
          {"parts", parts},
          {"replay", bundle.replay}};
}

Result<Bundle> BundleFromJson(const Json& json) {
  if (!json.is_object() || json.value("version", 0) != kVersion || !json.contains("parts"))
    return Fail(Code::kInvalidInput, "is no bundle of this version of mutatenn");
  Bundle bundle{json.value("campaign", ""), json.value("device", ""), {}, nullptr};
  if (json.contains("replay")) bundle.replay = json["replay"];
  for (const Json& entry : json["parts"]) {
    if (!entry.is_object() || !entry.contains("request") || !entry.contains("images") ||
        !entry.contains("jobs"))
      return Fail(Code::kInvalidInput, "the bundle is damaged");
    BundlePart part{entry.value("model", ""), TRY(LoadRequestFromJson(entry["request"])),
                    TRY(ImageInputsFromJson(entry["images"])), entry.value("order_fixed", false)};
    if (entry.contains("before")) part.before = TRY(OriginalPlanFromJson(entry["before"]));
    part.jobs = TRY(MutantJobsFromJson(entry["jobs"]));
    bundle.parts.push_back(std::move(part));
  }
  return bundle;
}

void OrderByMargin(const std::vector<OriginalRun>& runs, std::vector<ImageInput>* images) {
  std::map<std::string, double> margin;
  for (const OriginalRun& run : runs) margin[run.image] = Margin(run.top);
  std::sort(images->begin(), images->end(), [&](const ImageInput& a, const ImageInput& b) {
    return std::pair(margin[a.id], a.id) < std::pair(margin[b.id], b.id);
  });
}

}  // namespace mutatenn
