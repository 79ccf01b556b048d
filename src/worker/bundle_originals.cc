// Measurements of a chunk's originals as lines.
#include "worker/bundle_originals.h"

#include <algorithm>

namespace mutatenn {
namespace {

constexpr const char *kRepeats = "repeats", *kFloors = "floors", *kHashes = "hashes";

std::string ImageOf(const Json& entry) {
  return entry.is_object() ? entry.value("image", "") : std::string();
}

}  // namespace

void BundleOriginals::Take(const Json& line) {
  const std::string model = line.value("model", "");
  if (line.contains(kRepeats)) done_.insert({kRepeats, {model, ImageOf(line[kRepeats])}});
  if (line.contains(kFloors)) done_.insert({kFloors, {model, ""}});
  if (line.contains(kHashes))
    for (const Json& image : line[kHashes]) done_.insert({kHashes, {model, ImageOf(image)}});
}

bool BundleOriginals::Complete(const BundlePart& part) const {
  if (part.before.floors && !Has(kFloors, part.model)) return false;
  return std::all_of(part.images.begin(), part.images.end(), [&](const ImageInput& image) {
    return (part.before.repeats < 2 || Has(kRepeats, part.model, image.id)) &&
           (!part.before.hashes || Has(kHashes, part.model, image.id));
  });
}

Status BundleOriginals::Measure(Session& session, const BundlePart& part,
                                const std::vector<ImageInput>& chunk,
                                const std::vector<OriginalRun>& runs,
                                const std::function<Status(const Json&)>& write) {
  auto put = [&](const char* kind, const Json& value) -> Status {
    const Json line = {{"model", part.model}, {kind, value}};
    TRY(write(line));
    Take(line);
    return Ok();
  };
  std::vector<std::string> names, unhashed;
  bool repeated = true;
  for (const ImageInput& image : chunk) {
    names.push_back(image.id);
    repeated = repeated && Has(kRepeats, part.model, image.id);
    if (!Has(kHashes, part.model, image.id)) unhashed.push_back(image.id);
  }
  if (part.before.repeats > 1 && !repeated)
    for (const ImageRepeats& image :
         TRY(RepeatOriginals(session, chunk, runs, part.before.repeats)))
      if (!Has(kRepeats, part.model, image.image)) TRY(put(kRepeats, ToJson(image)));
  if (part.before.floors && !Has(kFloors, part.model))
    TRY(put(kFloors, ToJson(TRY(MeasureFloors(session, *part.before.floors, names,
                                              part.before.floor_images)))));
  if (part.before.hashes)
    for (const ImageHashes& image : TRY(HashOriginal(session, unhashed)))
      TRY(put(kHashes, ToJson(std::vector<ImageHashes>{image})));
  return Ok();
}

}  // namespace mutatenn
