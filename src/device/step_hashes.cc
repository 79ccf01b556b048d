// Hashes as JSON.
#include "device/step_hashes.h"

#include "base/decode.h"

namespace mutatenn {

Json ToJson(const std::vector<ImageHashes>& hashes) {
  Json json = Json::array();
  for (const ImageHashes& image : hashes)
    json.push_back({{"image", image.image}, {"steps", image.steps}});
  return json;
}

Result<std::vector<ImageHashes>> ImageHashesFromJson(const Json& json) {
  return Decode("a list of hashes", [&]() -> Result<std::vector<ImageHashes>> {
    std::vector<ImageHashes> hashes;
    for (const Json& image : json)
      hashes.push_back({image.at("image").get<std::string>(),
                        image.at("steps").get<std::vector<std::pair<std::string, std::string>>>()});
    return hashes;
  });
}

}  // namespace mutatenn
