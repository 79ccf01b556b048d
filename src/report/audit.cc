// Hashes of everything that a verdict depends on, versions, machines, and the campaign's history:
// commands, lost workers, imported results, what was left out and marked. Apart from the JSON
// report because a history differs from run to run.
#include "report/audit.h"

#include <map>

#include "analysis/originals.h"
#include "base/hash.h"
#include "judge/kill_rule.h"
#include "report/report.h"

namespace mutatenn {
namespace {

Json MetaOrNull(const std::map<std::string, std::string>& meta, const std::string& key) {
  const auto found = meta.find(key);
  return found == meta.end() ? Json(nullptr) : Json(found->second);
}

// By target: key, role and hash of the machine code of each kernel of the original.
Result<Json> KernelsJson(Store& store, const std::string& model) {
  Json targets = Json::array();
  for (const StoredProgram& program : TRY(store.Programs())) {
    if (program.model != model) continue;
    const Json json = TRY(ParseJson(program.program_json, "the stored program of " + model));
    std::map<std::string, Json> kernels;  // by key
    for (const Json& kernel : json.value("kernels", Json::array()))
      if (kernel.is_object())
        kernels[kernel.value("key", "")] = {{"key", kernel.value("key", "")},
                                            {"role", kernel.value("role", "")},
                                            {"code", kernel.value("code", "")}};
    Json list = Json::array();
    for (auto& [key, kernel] : kernels) list.push_back(std::move(kernel));
    targets.push_back({{"target_index", program.target_index},
                       {"program", HashBytes(program.program_json)},
                       {"kernels", list}});
  }
  return targets;
}

Result<Json> ModelJson(const CampaignView& view, const ModelView& model,
                       const std::map<std::string, std::string>& meta) {
  Json images = Json::array(), unstable = Json::array();
  std::string labels;
  std::map<std::string, std::string> truths;
  for (const StoredImage& image : model.images) {
    images.push_back({{"name", image.name}, {"hash", image.hash}});
    truths[image.name] = std::to_string(image.truth);
  }
  for (const auto& [name, truth] : truths) labels += name + "\t" + truth + "\n";
  for (const StoredRepeat& repeat : TRY(view.store->Repeats(model.stored.name))) {
    if (!TRY(RepeatsOf(repeat)).Stable())
      unstable.push_back({{"device", repeat.device}, {"image", repeat.image}});
  }
  const Json classes = MetaOrNull(meta, "classes:" + model.stored.name);
  return Json{{"name", model.stored.name},
              {"path", model.stored.path},
              {"hash", model.stored.hash},
              {"graph_hash", model.stored.graph_hash},
              {"labels_hash", HashBytes(labels)},
              {"classes_hash",
               classes.is_null() ? Json(nullptr) : Json(HashBytes(classes.get<std::string>()))},
              {"images", images},
              {"programs", TRY(KernelsJson(*view.store, model.stored.name))},
              {"mutants_not_selected", model.unselected},
              {"unstable_images", unstable}};
}

}  // namespace

Result<Json> AuditJson(const CampaignView& view) {
  const auto meta = TRY(view.store->AllMeta());
  Json devices = Json::array(), models = Json::array(), marks = Json::array(),
       history = Json::array();
  for (const StoredDevice& device : view.devices)
    devices.push_back({{"name", device.name},
                       {"canonical_target", device.canonical_target},
                       {"cpu", device.cpu},
                       {"tvm_version", device.tvm_version},
                       {"target_index", device.target_index}});
  Json tvm = MetaOrNull(meta, "tvm_hashes");
  if (tvm.is_string()) tvm = TRY(ParseJson(tvm.get<std::string>(), "the stored hashes of TVM"));
  for (const ModelView& model : view.models) models.push_back(TRY(ModelJson(view, model, meta)));
  for (const Mark& mark : view.marks)
    marks.push_back(
        {{"mutant", mark.mutant}, {"as", MarkName(mark.kind)}, {"reason", mark.reason}});
  for (const auto& [kind, text] : TRY(view.store->Events()))
    history.push_back({{"kind", kind}, {"text", text}});
  return Json{{"campaign", MetaOrNull(meta, "campaign")},
              {"created_epoch", MetaOrNull(meta, "created_epoch")},
              {"tool_version", MetaOrNull(meta, "tool_version")},
              {"tool_hash", MetaOrNull(meta, "tool_hash")},
              {"tvm_version", MetaOrNull(meta, "tvm_version")},
              {"tvm_hashes", tvm},
              {"rules_version", kRulesVersion},
              {"measured_by_rules", MetaOrNull(meta, "rules_version")},
              {"kill", KillRuleText(view.rule)},
              {"config_hash", MetaOrNull(meta, "configuration_hash")},
              {"slow_oracle", MetaOrNull(meta, "slow_oracle")},
              {"devices", devices},
              {"models", models},
              {"marks", marks},
              {"history", history}};
}

namespace {

Status WriteAudit(const CampaignView& view, const std::string& destination) {
  const Json audit = TRY(AuditJson(view));
  return WriteText(destination, audit.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

REPORT(.name = "audit",
       .summary = "hashes, versions, machines and the campaign's history as JSON; a file or -",
       .write = WriteAudit);

}  // namespace
}  // namespace mutatenn
