// The registry of mutation operators, as configuration sees it.
#include "campaign/config.h"
#include "mutation/operator.h"

namespace mutatenn {

OperatorCatalog RegisteredOperators() {
  OperatorCatalog catalog;
  for (const MutationOperator* op : AllOperators()) catalog.ids.push_back(op->id);
  catalog.check = [](const std::string& id, const Json& given) -> Result<Json> {
    return CheckParameters(*FindOperator(id), given);
  };
  return catalog;
}

}  // namespace mutatenn
