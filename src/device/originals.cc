// Runs of the original to numbers about its device.
#include "device/originals.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/decode.h"
#include "base/hash.h"
#include "device/remote.h"

namespace mutatenn {
namespace {

int64_t FirstLabel(const std::vector<std::vector<float>>& outputs) {
  if (outputs.empty() || outputs[0].empty()) return -1;
  return TopK(outputs[0].data(), std::ssize(outputs[0]), 1).at(0).label;
}

std::string HashOf(const std::vector<std::vector<float>>& outputs) {
  std::string bytes;
  for (const std::vector<float>& output : outputs)
    bytes.append(reinterpret_cast<const char*>(output.data()), output.size() * sizeof(float));
  return HashBytes(bytes);
}

}  // namespace

double LargerOrNaN(double a, double b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
}

double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof a[i]) == 0) continue;
    largest = LargerOrNaN(largest, std::isfinite(a[i]) && std::isfinite(b[i])
                                       ? std::abs(static_cast<double>(a[i]) - b[i])
                                       : NAN);
  }
  return largest;
}

Result<std::vector<ImageRepeats>> RepeatOriginals(Session& session,
                                                  const std::vector<ImageInput>& images,
                                                  const std::vector<OriginalRun>& first, int runs) {
  auto repeated = session.Repeat(images, runs);
  if (!repeated.ok() && repeated.error().code == Code::kUnsupported)
    return std::vector<ImageRepeats>{};
  return SummarizeRepeats(first, TRY(std::move(repeated)));
}

Result<std::vector<ImageRepeats>> SummarizeRepeats(const std::vector<OriginalRun>& first,
                                                   std::vector<RepeatedRun> repeated) {
  std::vector<ImageRepeats> repeats;
  if (repeated.empty()) return repeats;
  for (const OriginalRun& run : first) repeats.push_back({run.image, {}, {}, {}});
  using Outputs = std::vector<std::vector<float>>;
  std::map<std::pair<std::string, std::string>, Outputs> own;  // by image and worker: its first
  for (RepeatedRun& run : repeated) {
    if (run.outputs.size() != repeats.size())
      return Fail(Code::kInternal, "the worker ran ", std::to_string(run.outputs.size()), " of ",
                  std::to_string(repeats.size()), " images");
    for (size_t k = 0; k < repeats.size(); ++k) {
      ImageRepeats& entry = repeats[k];
      for (WorkerOutputs& worker : run.outputs[k]) {
        entry.labels.push_back(FirstLabel(worker.outputs));
        if (entry.outputs.empty()) {
          entry.outputs = worker.outputs;
          entry.spread.resize(entry.outputs.size());
        }
        const auto [before, fresh] = own.emplace(std::pair(entry.image, worker.worker), Outputs());
        if (fresh) before->second = worker.outputs;
        ImageRepeats::Noise& noise = entry.workers[worker.worker];
        for (size_t o = 0; o < entry.spread.size() && o < worker.outputs.size(); ++o) {
          const double difference = LargestDifference(entry.outputs[o], worker.outputs[o]);
          entry.spread[o] = LargerOrNaN(entry.spread[o], difference);
          noise.to_first = LargerOrNaN(noise.to_first, difference);
          noise.own =
              LargerOrNaN(noise.own, LargestDifference(before->second[o], worker.outputs[o]));
        }
      }
    }
  }
  return repeats;
}

std::vector<std::string> NoiseOfWorkers(const std::vector<ImageRepeats>& repeats) {
  std::map<std::string, ImageRepeats::Noise> workers;
  for (const ImageRepeats& image : repeats)
    for (const auto& [worker, noise] : image.workers) {
      ImageRepeats::Noise& sum = workers[worker];
      sum.own = LargerOrNaN(sum.own, noise.own);
      sum.to_first = LargerOrNaN(sum.to_first, noise.to_first);
    }
  std::vector<std::string> lines;
  for (const auto& [worker, noise] : workers)
    if (!worker.empty() && (noise.own != 0 || noise.to_first != 0))
      lines.push_back(fmt::format("repeat noise of {}: {:.3g}; {:.3g} to the first run", worker,
                                  noise.own, noise.to_first));
  return lines;
}

Result<std::vector<StepFloor>> MeasureFloors(Session& session, FloorRequest request,
                                             std::vector<std::string> images, int count) {
  std::sort(images.begin(), images.end());
  images.resize(std::min(images.size(), static_cast<size_t>(count)));
  request.images = std::move(images);
  auto floors = session.Floors(request);
  if (!floors.ok() && floors.error().code == Code::kUnsupported) return std::vector<StepFloor>{};
  return floors;
}

Result<std::vector<ImageHashes>> HashOriginal(Session& session,
                                              const std::vector<std::string>& images) {
  std::map<std::string, ImageHashes> of_image;
  auto hashes = session.Hashes(images);
  if (!hashes.ok() && hashes.error().code != Code::kUnsupported) return hashes.error();
  if (hashes.ok())
    for (ImageHashes& image : *hashes) of_image[image.image] = std::move(image);
  std::vector<ImageHashes> all;
  for (const std::string& image : images) {
    ImageHashes made = std::move(of_image[image]);
    made.image = image;
    auto outputs = session.Outputs(image);
    if (!outputs.ok() && outputs.error().code != Code::kUnsupported) return outputs.error();
    if (outputs.ok()) made.steps.emplace_back("", HashOf(*outputs));
    all.push_back(std::move(made));
  }
  return all;
}

Json ToJson(const OriginalPlan& plan) {
  return {{"repeats", plan.repeats},
          {"floors", plan.floors ? ToJson(*plan.floors) : Json()},
          {"floor_images", plan.floor_images},
          {"hashes", plan.hashes}};
}

Result<OriginalPlan> OriginalPlanFromJson(const Json& json) {
  return Decode("a plan for originals", [&]() -> Result<OriginalPlan> {
    OriginalPlan plan{json.at("repeats").get<int>(), std::nullopt,
                      json.at("floor_images").get<int>(), json.at("hashes").get<bool>()};
    if (!json.at("floors").is_null()) plan.floors = TRY(FloorRequestFromJson(json.at("floors")));
    return plan;
  });
}

Json ToJson(const ImageRepeats& repeats) {
  Json spread = Json::array();
  for (double value : repeats.spread) spread.push_back(std::isnan(value) ? Json() : Json(value));
  return {{"image", repeats.image},
          {"outputs", ToJson(repeats.outputs)},
          {"labels", repeats.labels},
          {"spread", spread}};
}

Result<ImageRepeats> ImageRepeatsFromJson(const Json& json) {
  return Decode("repeats of an original", [&]() -> Result<ImageRepeats> {
    ImageRepeats repeats{json.at("image").get<std::string>(),
                         TRY(OutputsFromJson(json.at("outputs"))),
                         json.at("labels").get<std::vector<int64_t>>(),
                         {}};
    for (const Json& value : json.at("spread"))
      repeats.spread.push_back(value.is_null() ? NAN : value.get<double>());
    return repeats;
  });
}

}  // namespace mutatenn
