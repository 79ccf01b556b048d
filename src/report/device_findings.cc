// Out of the campaign's events.
#include "report/device_findings.h"

#include <algorithm>

namespace mutatenn {

Result<std::vector<std::string>> DeviceFindings(const CampaignView& view) {
  std::vector<std::string> lines;
  for (const auto& [kind, text] : TRY(view.store->Events())) {
    const bool left_out = kind == "device" && text.find(": quarantined ") != std::string::npos;
    if (kind != "finding" && !left_out) continue;
    if (std::find(lines.begin(), lines.end(), text) == lines.end()) lines.push_back(text);
  }
  return lines;
}

}  // namespace mutatenn
