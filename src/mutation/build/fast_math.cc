#include "mutation/operator.h"

namespace mutatenn {
namespace {

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json& parameters) {
  std::vector<BuildVariant> variants;
  for (const Json& flag : parameters.at("flags")) {
    BuildVariant variant = {flag.get<std::string>(), settings};
    variant.settings.target[variant.name] = true;
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.fast_math", .category = "compiler", .source = "new",
        .summary = "Lets LLVM treat floating point as real numbers.",
        .doc =
            R"(Sums are taken in another order, divisions become multiplications, NaN and infinity are assumed away.
Fault: code built with fast-math on behalf of speed, which is legal for most networks and wrong for those that
rely on NaN, infinity or the order of a sum.
Survives where no value is at the edge: results differ by rounding alone.)",
        .example = "kernels",
        .parameters = {{.name = "flags",
                        .type = "strings",
                        .fallback = Json::array({"fast-math"}),
                        .doc = "Of TVM's target; a variant each. `fast-math` is all of the others.",
                        .allowed = {"fast-math", "fast-math-nnan", "fast-math-ninf",
                                    "fast-math-nsz", "fast-math-arcp", "fast-math-contract",
                                    "fast-math-reassoc"}}},
        .presets = {{.preset = "default", .positions = "\"all\""}}, .rebuild = Rebuild);

}  // namespace mutatenn
