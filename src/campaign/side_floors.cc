// The original of a side in other legal code, built and run on a few images, to floors by step.
#include <cmath>

#include "campaign/compare.h"
#include "compile/generator.h"

namespace mutatenn {

Status MeasureSideFloors(Side& side, const std::vector<ImageInput>& images) {
  std::vector<Mutant> variants;
  for (const char* name : {kContractionVariant, kFloat64Variant}) {
    Mutant variant;
    variant.id = variant.use.id = name;
    variant.level = Level::kBuild;
    variants.push_back(std::move(variant));
  }
  FloorRequest request;
  for (const ImageInput& image : images) request.images.push_back(image.id);
  TRY(side.generator->Build(side.target, variants, [&](const BuiltMutant& built) -> Status {
    if (built.state != "ok") return Ok();
    if (built.mutant == kFloat64Variant)
      request.exact = built.program;
    else
      request.roundings.push_back(built.program);
    return Ok();
  }));
  // The variants are edits of what was compiled, from which the side may have left out passes.
  LoadRequest whole = side.request;
  whole.program = side.generator->info().programs.at(static_cast<size_t>(side.target));
  TRY(side.session->Load(whole));
  TRY(side.session->SetImages(images));
  auto floors = side.session->Floors(request);
  if (!floors.ok() && floors.error().code != Code::kUnsupported) return floors.error();
  if (floors.ok())
    for (const StepFloor& floor : *floors) {
      double& largest = side.floors[floor.step];
      largest = std::fmax(largest, std::fmax(floor.spread, floor.distance));
    }
  TRY(side.session->Load(side.request));
  return Ok();
}

}  // namespace mutatenn
