// Silent and loud runs of a model to JSON.
#include "report/json_effects.h"

#include "analysis/severity.h"

namespace mutatenn {
namespace {

// Mutants with silent mislabels, worst first.
Json SilentJson(const ModelView& model, size_t device, const SeverityTable& table) {
  Json list = Json::array();
  for (const SilentMutant& silent : RankSilent(model, device, table)) {
    list.push_back({{"mutant", model.mutants[silent.mutant].stored.id},
                    {"weight", silent.weight},
                    {"total", silent.total},
                    {"images", silent.images},
                    {"image", model.images[static_cast<size_t>(silent.image)].name},
                    {"from", silent.from},
                    {"to", silent.to},
                    {"from_group", table.Name(silent.from)},
                    {"to_group", table.Name(silent.to)}});
  }
  return list;
}

}  // namespace

Json EffectsJson(const CampaignView& view, const ModelView& model) {
  const SeverityTable table = SeverityTable::Of(view, model);
  Json effects = Json::object();
  for (size_t d = 0; d < view.devices.size(); ++d) {
    const std::vector<int> counts = CountEffects(model, d);
    Json& on = effects[view.devices[d].name] = Json::object();
    for (Effect effect : {Effect::kSilent, Effect::kLoud, Effect::kNone})
      on[EffectName(effect)] = counts[static_cast<size_t>(effect)];
    on["worst"] = SilentJson(model, d, table);
  }
  return effects;
}

}  // namespace mutatenn
