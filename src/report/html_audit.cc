// What the campaign was made of and what happened to it, for people.
#include <fmt/format.h>

#include "report/audit.h"
#include "report/html_parts.h"

namespace mutatenn::html {
namespace {

constexpr size_t kListed = 200;  // images, or events: the report `audit` has all

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>()
         : value.is_null() ? "not known"
                           : value.dump();
}

std::string Hashes(const Json& audit) {
  std::string rows =
      Row({"program", "mutatenn " + Text(audit["tool_version"]), Text(audit["tool_hash"])}) +
      Row({"configuration", "", Text(audit["config_hash"])});
  for (const auto& [library, hash] : audit["tvm_hashes"].items())
    rows += Row({"TVM " + Text(audit["tvm_version"]), library, Text(hash)});
  size_t listed = 0;
  for (const Json& model : audit["models"]) {
    rows += Row({"model", Text(model["path"]), Text(model["hash"])}) +
            Row({"its graph", Text(model["name"]), Text(model["graph_hash"])}) +
            Row({"its labels", fmt::format("of {} images", model["images"].size()),
                 Text(model["labels_hash"])});
    for (const Json& program : model["programs"])
      rows += Row({"its program",
                   fmt::format("target {}, {} kernels", program["target_index"].dump(),
                               program["kernels"].size()),
                   Text(program["program"])});
    for (const Json& image : model["images"])
      if (listed++ < kListed) rows += Row({"image", Text(image["name"]), Text(image["hash"])});
  }
  if (listed > kListed) rows += Row({"...", fmt::format("{} more images", listed - kListed), ""});
  return Table("Hashes (XXH3, 128 bits)", Head({"of", "", "hash"}), rows);
}

}  // namespace

Result<std::string> AuditSection(const CampaignView& view) {
  const Json audit = TRY(AuditJson(view));
  std::string history, marks;
  const Json& events = audit["history"];
  const size_t first = events.size() > kListed ? events.size() - kListed : 0;  // the last ones
  for (size_t i = first; i < events.size(); ++i)
    history += Row({Text(events[i]["kind"]), Text(events[i]["text"])});
  for (const Json& mark : audit["marks"])
    marks += Row({Text(mark["mutant"]), Text(mark["as"]), Text(mark["reason"])});
  return "<details><summary>Audit: hashes, history, marks</summary>" + Hashes(audit) +
         Table("History", Head({"what", ""}), history) +
         (marks.empty() ? "" : Table("Marks", Head({"mutant", "as", "reason"}), marks)) +
         "</details>";
}

}  // namespace mutatenn::html
