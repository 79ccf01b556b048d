// Floors as JSON.
#include "device/floors.h"

#include <cmath>
#include <limits>

#include "base/decode.h"

namespace mutatenn {
Json ToJson(const FloorRequest& request) {
  Json json = {{"images", request.images}, {"roundings", Json::array()}};
  for (const MutantProgram& program : request.roundings)
    json["roundings"].push_back(ToJson(program));
  if (request.exact) json["exact"] = ToJson(*request.exact);
  return json;
}

Result<FloorRequest> FloorRequestFromJson(const Json& json) {
  return Decode("a request for floors", [&]() -> Result<FloorRequest> {
    FloorRequest request;
    request.images = json.at("images").get<std::vector<std::string>>();
    for (const Json& program : json.at("roundings"))
      request.roundings.push_back(TRY(MutantProgramFromJson(program)));
    if (json.contains("exact")) request.exact = TRY(MutantProgramFromJson(json.at("exact")));
    return request;
  });
}

Json ToJson(const std::vector<StepFloor>& floors) {
  Json json = Json::array();
  for (const StepFloor& floor : floors)
    json.push_back({{"step", floor.step},
                    {"output", floor.output},
                    {"images", floor.images},
                    {"spread", floor.spread},
                    {"distance", std::isnan(floor.distance) ? Json() : Json(floor.distance)},
                    {"magnitude", floor.magnitude}});
  return json;
}

Result<std::vector<StepFloor>> FloorsFromJson(const Json& json) {
  return Decode("a list of floors", [&]() -> Result<std::vector<StepFloor>> {
    std::vector<StepFloor> floors;
    for (const Json& item : json) {
      const Json& distance = item.at("distance");
      floors.push_back(
          {item.at("step").get<std::string>(), item.at("output").get<int>(),
           item.at("images").get<int>(), item.at("spread").get<double>(),
           distance.is_null() ? std::numeric_limits<double>::quiet_NaN() : distance.get<double>(),
           item.at("magnitude").get<double>()});
    }
    return floors;
  });
}

}  // namespace mutatenn
