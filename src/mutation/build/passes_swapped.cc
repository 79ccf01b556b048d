#include <utility>

#include "mutation/build_passes.h"

namespace mutatenn {
namespace {

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json& parameters) {
  std::vector<BuildVariant> variants;
  for (size_t i = 0; i + 1 < settings.passes.size(); ++i) {
    if (!NamesPass(parameters, settings.passes[i])) continue;
    BuildVariant variant = {
        NumberedPass(settings.passes, i + 1) + " before " + NumberedPass(settings.passes, i),
        settings};
    std::swap(variant.settings.passes[i], variant.settings.passes[i + 1]);
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.passes_swapped", .category = "compiler", .source = "new",
        .summary = "Swaps a pass of those that lower a kernel with the next one.",
        .doc =
            R"(Passes in another order. Where the second needs what the first makes, the mutant is stillborn; where
neither needs the other, the result must be the same, so a difference is a finding.
Fault: passes that only work after one another, as Tzer (Liu et al., OOPSLA 2022) found by mutating TVM's pass
lists.
Survives where the order does not matter, which is mostly equivalent.)",
        .example = "kernels", .parameters = {PassesParameter("swap with the next")},
        .rebuild = Rebuild);

}  // namespace mutatenn
