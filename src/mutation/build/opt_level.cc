#include "mutation/operator.h"

namespace mutatenn {
namespace {

constexpr int kDefaultLevel = 3;  // of TVM, where a target says nothing

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json& parameters) {
  std::vector<BuildVariant> variants;
  for (const Json& word : parameters.at("to")) {
    const int level = std::stoi(word.get<std::string>());
    BuildVariant variant = {"opt-level " + word.get<std::string>(), settings};
    if (settings.target.value("opt-level", kDefaultLevel) != level)
      variant.settings.target["opt-level"] = level;
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.opt_level", .category = "compiler", .source = "new",
        .summary = "Compiles a kernel at another optimisation level of LLVM's.",
        .doc =
            R"(An optimisation of LLVM's that is wrong, or that a kernel with undefined behaviour is at the mercy of,
shows between two levels.
Fault: miscompilations by LLVM at -O2 and -O3; this is what compiler fuzzers compare levels for.
Survives unless the compiler is wrong. Level 0 may be so slow that the mutant times out.)",
        .example = "kernels",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = Json::array({"0", "1", "2", "3"}),
                        .doc = "Levels; a variant each.",
                        .allowed = {"0", "1", "2", "3"}}},
        .rebuild = Rebuild);

}  // namespace mutatenn
