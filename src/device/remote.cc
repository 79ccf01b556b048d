// Lists of messages as JSON, checked on the way in.
#include "device/remote.h"

#include <bit>

namespace mutatenn {
namespace {

template <class T, class F>
Result<std::vector<T>> ListFrom(const Json& json, const char* what, F&& one) {
  if (!json.is_array()) return Fail(Code::kInvalidInput, what, " are not a list");
  std::vector<T> list;
  for (const Json& entry : json) list.push_back(TRY(one(entry)));
  return list;
}

}  // namespace

Json ToJson(const std::vector<ImageInput>& images) {
  Json list = Json::array();
  for (const ImageInput& image : images) list.push_back({{"id", image.id}, {"file", image.file}});
  return list;
}

Result<std::vector<ImageInput>> ImageInputsFromJson(const Json& json) {
  return ListFrom<ImageInput>(json, "images", [](const Json& entry) -> Result<ImageInput> {
    if (!entry.is_object() || !entry.contains("id") || !entry["id"].is_string() ||
        !entry.contains("file") || !entry["file"].is_string())
      return Fail(Code::kInvalidInput, "an image is damaged: expected id and file");
    return ImageInput{entry["id"].get<std::string>(), entry["file"].get<std::string>()};
  });
}

// Floats as their bits: NaN keeps its payload, and a difference of one bit is seen.
Json ToJson(const std::vector<std::vector<float>>& outputs) {
  Json list = Json::array();
  for (const std::vector<float>& output : outputs) {
    Json bits = Json::array();
    for (float value : output) bits.push_back(std::bit_cast<uint32_t>(value));
    list.push_back(std::move(bits));
  }
  return list;
}

Result<std::vector<std::vector<float>>> OutputsFromJson(const Json& json) {
  using Output = std::vector<float>;
  return ListFrom<Output>(json, "outputs", [](const Json& entry) {
    return ListFrom<float>(entry, "outputs", [](const Json& bits) -> Result<float> {
      if (!bits.is_number_unsigned()) return Fail(Code::kInvalidInput, "an output is damaged");
      return std::bit_cast<float>(bits.get<uint32_t>());
    });
  });
}

Result<std::vector<OriginalRun>> OriginalRunsFromJson(const Json& json) {
  return ListFrom<OriginalRun>(json, "runs of the original", OriginalRunFromJson);
}

Result<std::vector<MutantDone>> MutantDonesFromJson(const Json& json) {
  return ListFrom<MutantDone>(json, "results", MutantDoneFromJson);
}

Result<std::vector<MutantJob>> MutantJobsFromJson(const Json& json) {
  return ListFrom<MutantJob>(json, "jobs", MutantJobFromJson);
}

}  // namespace mutatenn
