// Variants into the store, and back out of it to a device.
#include "campaign/floors.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/clock.h"

namespace mutatenn {

Status BuildVariants(CampaignContext& context, const ModelBuild& build, int target) {
  if (context.config.floors == 0 || build.generator == nullptr) return Ok();
  const Json& kind = context.targets.at(static_cast<size_t>(target));
  if (!TRY(context.store.Variants(build.model, target)).empty()) return Ok();
  AddSeconds timer(context.outcome.stats.build_s);
  std::vector<Mutant> variants;
  std::vector<const char*> names(std::begin(kVariants), std::end(kVariants));
  if (kind == "opencl" || (kind.is_object() && kind.value("kind", "") == "opencl"))
    names.push_back(kFusedVariant);
  for (const char* name : names) {
    Mutant variant;
    variant.id = variant.use.id = name;
    variant.level = Level::kBuild;
    variants.push_back(std::move(variant));
  }
  context.progress.Info(fmt::format("compiling {} in other legal code for target {} of {}",
                                    build.model, target + 1, context.targets.size()));
  std::vector<StoredVariant> rows;
  TRY(build.generator->Build(target, variants, [&](const BuiltMutant& built) -> Status {
    if (!built.reason.empty())
      context.progress.Detail(fmt::format("{}: {}", built.mutant, built.reason));
    if (built.state == "ok")
      rows.push_back({build.model, target, built.mutant, DumpJson(ToJson(built.program))});
    return CheckInterrupted(context);
  }));
  return context.store.PutVariants(rows);
}

Result<std::optional<FloorRequest>> FloorsOf(Store& store, const std::string& model, int target) {
  std::optional<FloorRequest> request;
  for (const StoredVariant& row : TRY(store.Variants(model, target))) {
    if (!request) request.emplace();
    const std::string where = "the stored variant " + row.variant;
    MutantProgram program = TRY(MutantProgramFromJson(TRY(ParseJson(row.program_json, where))));
    if (row.variant == kFloat64Variant)
      request->exact = std::move(program);
    else
      request->roundings.push_back(std::move(program));
  }
  return request;
}

Result<std::optional<FloorRequest>> OpenFloors(CampaignContext& context, const std::string& model,
                                               const std::string& device) {
  if (context.config.floors == 0 || !TRY(context.store.Floors(model, device)).empty())
    return std::optional<FloorRequest>();
  return FloorsOf(context.store, model, context.target_of_device.at(device));
}

Status StoreFloors(Store& store, const std::string& model, const std::string& device,
                   const std::vector<StepFloor>& floors) {
  std::vector<StoredFloor> rows;
  for (const StepFloor& floor : floors)
    rows.push_back(
        {model, device, floor.step, floor.output, floor.images,
         std::isnan(floor.distance) ? floor.spread : std::max(floor.spread, floor.distance),
         floor.spread, floor.distance, floor.magnitude});
  return rows.empty() ? Ok() : store.PutFloors(rows);
}

}  // namespace mutatenn
