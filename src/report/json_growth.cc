// Stored rows to one object a comparison.
#include "report/json_growth.h"

#include <cmath>

namespace mutatenn {

Result<Json> GrowthJson(const CampaignView& view, const ModelView& model) {
  auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  Json list = Json::array();
  for (const StoredGrowth& row : TRY(view.store->Growth(model.stored.name))) {
    if (row.number == 0)
      list.push_back({{"mutant", text(row.mutant)},
                      {"device", row.device},
                      {"against", text(row.against)},
                      {"image", row.image},
                      {"steps", Json::array()}});
    if (list.empty()) return Fail(Code::kInvalidInput, "the stored growth has no first step");
    list.back()["steps"].push_back({{"step", row.step},
                                    {"layer", row.layer},
                                    {"total", number(row.total)},
                                    {"scale", number(row.scale)},
                                    {"local", number(row.local)},
                                    {"floor", number(row.floor)},
                                    {"nonfinite", row.nonfinite},
                                    {"died", text(row.died)}});
  }
  return list;
}

}  // namespace mutatenn
