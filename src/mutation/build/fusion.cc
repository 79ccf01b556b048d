#include "mutation/operator.h"

namespace mutatenn {
namespace {

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json&) {
  std::vector<BuildVariant> variants;
  if (settings.steps.size() != 1) return {};
  for (size_t first = 1; first < settings.calls.size(); ++first) {
    BuildVariant variant = {"broken before " + settings.calls[first], settings};
    variant.settings.steps = {first, settings.calls.size() - first};
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.fusion", .category = "compiler", .source = "new",
        .summary = "Breaks the fusion of a kernel at one point: it becomes two steps.",
        .doc =
            R"(What was computed in registers goes through memory, and each half is scheduled on its own.
Fault: fusion that changes what is computed; OATest (Shen et al., 2024) makes graphs that bring optimisations such
as fusion to their limits.
Survives unless the compiler is wrong.)",
        .example = "kernels", .rebuild = Rebuild);

}  // namespace mutatenn
