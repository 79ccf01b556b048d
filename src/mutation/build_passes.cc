// Names of passes. A list may hold a pass twice.
#include "mutation/build_passes.h"

#include <algorithm>

#include "mutation/expressions.h"

namespace mutatenn {

ParameterSpec PassesParameter(const std::string& done) {
  ParameterSpec spec = {.name = "passes",
                        .type = "strings",
                        .fallback = Json::array({"all"}),
                        .doc = "Passes to " + done + ", a variant each.",
                        .allowed = {"all"}};
  for (const LoweringPass& pass : kLoweringPasses) {
    const std::string name = pass.name;
    if (std::find(spec.allowed.begin(), spec.allowed.end(), name) == spec.allowed.end())
      spec.allowed.push_back(name);
  }
  return spec;
}

bool NamesPass(const Json& parameters, const LoweringPass& pass) {
  return Names(parameters, "passes", "all") || Names(parameters, "passes", pass.name);
}

std::string NumberedPass(const std::vector<LoweringPass>& passes, size_t index) {
  const std::string name = passes[index].name;
  int number = 1;
  for (size_t i = 0; i < index; ++i) number += passes[i].name == name;
  return number == 1 ? name : name + " #" + std::to_string(number);
}

}  // namespace mutatenn
