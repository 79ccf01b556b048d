// Devices of one bitwise group are to agree in every bit: the originals' values step by step, and
// what is stored of every mutant. Where they do not, a finding says from where on.
#pragma once

#include <string>
#include <vector>

#include "campaign/steps.h"

namespace mutatenn {

Status StoreHashes(Store& store, const std::string& model, const std::string& device,
                   const std::vector<ImageHashes>& hashes);

// A line for each device of a group that differs from the group's first, in the order of the
// configuration; by the originals, and by the mutants that both have run.
Result<std::vector<std::string>> BitwiseFindings(Store& store, const Config& config,
                                                 const std::string& model);

}  // namespace mutatenn
