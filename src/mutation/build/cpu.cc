#include "mutation/operator.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Knows(const Json& target, const std::string& cpu) {
  const std::string triple = target.value("mtriple", "x86_64-linux-gnu");
  return Call(global::kValidCpu, cpu, triple).Int() != 0;
}

std::vector<BuildVariant> Rebuild(const BuildSettings& settings, const Json& parameters) {
  std::vector<BuildVariant> variants;
  for (const Json& word : parameters.at("to")) {
    BuildVariant variant = {word.get<std::string>(), settings};
    if (UsesLlvm(settings) && settings.target.value("mcpu", "") != variant.name &&
        Knows(settings.target, variant.name)) {
      variant.settings.target["mcpu"] = variant.name;
      variant.settings.target.erase("mattr");
    }
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "build.cpu", .category = "compiler", .source = "new",
        .summary = "Generates a kernel's code for another CPU; its schedule stays.",
        .doc =
            R"(Other instructions for the same loops: without fused multiply-add every product is rounded, wide
vectors are taken apart.
Fault: code generation for one CPU that is wrong, or that differs from another's by more than rounding.
Survives unless the compiler is wrong. A device that lacks the CPU's instructions crashes (SIGILL); a name of
another architecture does not apply.)",
        .example = "kernels",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = Json::array({"cortex-a53", "x86-64", "x86-64-v2"}),
                        .doc = "Names of CPUs, as LLVM has them; a variant each."}},
        .rebuild = Rebuild);

}  // namespace mutatenn
