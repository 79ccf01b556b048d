#include "mutation/build_passes.h"

namespace mutatenn {
namespace {

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json& parameters) {
  std::vector<BuildVariant> variants;
  for (size_t i = 0; i < settings.passes.size(); ++i) {
    if (!NamesPass(parameters, settings.passes[i])) continue;
    BuildVariant variant = {"without " + NumberedPass(settings.passes, i), settings};
    variant.settings.passes.erase(variant.settings.passes.begin() + static_cast<ptrdiff_t>(i));
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.pass_dropped", .category = "compiler", .source = "new",
        .summary = "Drops a pass of those that lower a kernel.",
        .doc =
            R"(A pass that is forgotten or gives up. What must be lowered and is not makes the mutant stillborn;
an optimisation that is left out must not change a result, so a difference is a finding.
Fault: passes that only work after one another, as Tzer (Liu et al., OOPSLA 2022) found by mutating TVM's pass
lists.
Survives where the pass only makes code faster; equivalent where it has nothing to do in the kernel.)",
        .example = "kernels", .parameters = {PassesParameter("drop")}, .rebuild = Rebuild);

}  // namespace mutatenn
