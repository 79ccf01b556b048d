// Single calls where a session has no message for all of them; and that message.
#include "device/begin.h"

#include <algorithm>

#include "base/decode.h"
#include "device/remote.h"
#include "device/repeat.h"

namespace mutatenn {
namespace {

constexpr int64_t kMostImages = 1 << 20;

// A part that a session does not have.
template <class T>
Result<T> OrNone(Result<T> answer) {
  if (!answer.ok() && answer.error().code == Code::kUnsupported) return T();
  return answer;
}

}  // namespace

int ChunkImages(int64_t chunk_bytes, int64_t reference_bytes_per_image) {
  if (reference_bytes_per_image <= 0) return kMostImages;
  return static_cast<int>(
      std::clamp<int64_t>(chunk_bytes / reference_bytes_per_image, 1, kMostImages));
}

FloorRequest FloorsOn(FloorRequest request, const std::vector<ImageInput>& images, int count) {
  request.images.clear();
  for (const ImageInput& image : images) request.images.push_back(image.id);
  std::sort(request.images.begin(), request.images.end());
  request.images.resize(std::min(request.images.size(), static_cast<size_t>(count)));
  return request;
}

Result<Begun> Session::Begin(const BeginRequest& request) {
  Begun begun;
  begun.reply = TRY(Load(request.load));
  begun.chunk_images = ChunkImages(request.chunk_bytes, begun.reply.reference_bytes_per_image);
  if (request.images.empty()) return begun;
  std::vector<ImageInput> images = request.images;
  images.resize(std::min(images.size(), static_cast<size_t>(begun.chunk_images)));
  begun.runs = TRY(SetImages(images));
  begun.repeated = TRY(OrNone(Repeat(images, request.repeats)));
  if (request.floors)
    begun.floors = TRY(OrNone(Floors(FloorsOn(*request.floors, images, request.floor_images))));
  return begun;
}

Json ToJson(const BeginRequest& request) {
  return {{"load", ToJson(request.load)},
          {"images", ToJson(request.images)},
          {"chunk_bytes", request.chunk_bytes},
          {"repeats", request.repeats},
          {"floors", request.floors ? ToJson(*request.floors) : Json()},
          {"floor_images", request.floor_images}};
}

Result<BeginRequest> BeginRequestFromJson(const Json& json) {
  return Decode("a beginning", [&]() -> Result<BeginRequest> {
    BeginRequest request;
    request.load = TRY(LoadRequestFromJson(json.at("load")));
    request.images = TRY(ImageInputsFromJson(json.at("images")));
    request.chunk_bytes = json.at("chunk_bytes").get<int64_t>();
    request.repeats = json.at("repeats").get<int>();
    if (!json.at("floors").is_null()) request.floors = TRY(FloorRequestFromJson(json.at("floors")));
    request.floor_images = json.at("floor_images").get<int>();
    return request;
  });
}

Result<Begun> BegunFromJson(const Json& json) {
  return Decode("the answer to a beginning", [&]() -> Result<Begun> {
    return Begun{TRY(LoadReplyFromJson(json.at("reply"))), json.at("chunk_images").get<int>(),
                 TRY(OriginalRunsFromJson(json.at("runs"))),
                 TRY(RepeatedRunsFromJson(json.at("repeated"))),
                 TRY(FloorsFromJson(json.at("floors")))};
  });
}

}  // namespace mutatenn
