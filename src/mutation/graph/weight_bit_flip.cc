#include <cstring>

#include "mutation/weights.h"

namespace mutatenn {
namespace {

constexpr uint32_t kBits = 32;

ParameterSpec BitParameter() {
  ParameterSpec spec{.name = "bit",
                     .type = "integer",
                     .fallback = -1,
                     .doc =
                         "Which bit: 0 the lowest of the fraction, 23 to 30 the exponent, 31 the "
                         "sign; -1 = by chance."};
  for (int bit = -1; bit < static_cast<int>(kBits); ++bit)
    spec.allowed.push_back(std::to_string(bit));
  return spec;
}

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  return ChangedWeights(view, at, parameters, [&](Weights& weights, Random& random) {
    float& value = weights.values[random.Below(weights.values.size())];
    const int bit = parameters.at("bit").get<int>();
    const uint64_t shift = bit >= 0 ? static_cast<uint64_t>(bit) : random.Below(kBits);
    uint32_t word = 0;
    std::memcpy(&word, &value, sizeof(word));
    word ^= uint32_t{1} << shift;
    std::memcpy(&value, &word, sizeof(word));
  });
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.weight_bit_flip", .category = "weights", .source = "new",
        .summary = "Flips one bit of one of a layer's weights.",
        .doc =
            R"(A fault of memory or of a file: which weight, and which bit unless `bit` says so, comes from the seed.
Studied as soft errors and bit-flip attacks; no known issue of TVM's.
Survives nearly always but at a high bit of the exponent.)",
        .example = "layers", .parameters = {BitParameter(), SeedParameter()}, .matches = HasWeights,
        .rewrite_graph = Rewrite);

}  // namespace mutatenn
