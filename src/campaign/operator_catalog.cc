// The registry of mutation operators, as configuration sees it.
#include "campaign/config.h"
#include "mutation/operator.h"
#include "mutation/presets.h"

namespace mutatenn {

OperatorCatalog RegisteredOperators() {
  OperatorCatalog catalog;
  for (const MutationOperator* op : AllOperators()) catalog.ids.push_back(op->id);
  catalog.check = [](const std::string& id, const Json& given) -> Result<Json> {
    return CheckParameters(*FindOperator(id), given);
  };
  catalog.presets = PresetNames();
  catalog.uses_of = UsesOfPreset;
  return catalog;
}

}  // namespace mutatenn
