#include "mutation/operator.h"

namespace mutatenn {
namespace {

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json& parameters) {
  std::vector<BuildVariant> variants;
  for (const Json& word : parameters.at("to")) {
    BuildVariant variant = {word.get<std::string>() + " width", settings};
    if (settings.lanes > 0)  // else there is no schedule
      variant.settings.lanes = word == "half" ? (settings.lanes + 1) / 2 : settings.lanes * 2;
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.vector_width", .category = "compiler", .source = "new",
        .summary = "Schedules a kernel for vectors of half or double the width.",
        .doc =
            R"(Other tiles, other tails, weights packed otherwise: the schedule that a kernel would get on another
CPU, on this one.
Fault: schedules that are right for one width alone, and tails that are not masked.
Survives unless the compiler is wrong: a sum may be taken in another order.)",
        .example = "kernels",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = Json::array({"double", "half"}),
                        .doc = "Widths; a variant each.",
                        .allowed = {"half", "double"}}},
        .rebuild = Rebuild);

}  // namespace mutatenn
