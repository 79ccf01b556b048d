// Hashes of what every step of the original makes on a device: how devices that must agree in every
// bit are compared, wherever they are.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct ImageHashes {
  std::string image;
  std::vector<std::pair<std::string, std::string>> steps;  // name, hash of its outputs; in order
};

Json ToJson(const std::vector<ImageHashes>& hashes);
Result<std::vector<ImageHashes>> ImageHashesFromJson(const Json& json);

}  // namespace mutatenn
