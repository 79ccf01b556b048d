// The tables of a campaign as CSV: one row a judged fate, a mutant, an image, a run of the
// original.
#pragma once

#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

struct Column {
  const char* name;
  const char* meaning;  // with its unit; "" in a row = not known or does not apply
};
std::string CsvHead(const std::vector<Column>& columns);
const std::vector<Column>& FateColumns();
// `destination`: a file or "-".
Status WriteFateTable(const CampaignView& view, const std::string& destination);

}  // namespace mutatenn
