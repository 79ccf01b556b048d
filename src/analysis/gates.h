// Limits that a campaign must keep, for continuous integration: least scores and the largest
// disagreement of devices.
#pragma once

#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

struct Gate {
  enum class Of { kAll, kDevice, kOperator, kCategory, kKernel, kLayer, kClass, kDisagreement };
  Of of = Of::kAll;
  std::string name;  // of the device, operator, ...; of a class its number
  double limit = 0;  // 0 to 1
};
// "0.8", or "layer:conv1=0.8" (device, operator, category, kernel, layer, class).
Result<Gate> ParseScoreGate(const std::string& text);

struct GateResult {
  bool passed = false;
  std::string text;  // one line: what was asked, what is, and why not
};
// One result for each gate and model. A score passes by the lower bound of its interval; one that
// was not measured does not pass. Disagreement: the share of mutants, compared between at least two
// devices, whose verdicts or labels differ.
std::vector<GateResult> CheckGates(const CampaignView& view, const std::vector<Gate>& gates);

}  // namespace mutatenn
