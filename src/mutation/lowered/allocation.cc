#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// The statements that follow an allocation see it: they stand in the same sequence.
bool Matches(const Node& node, const Json&) { return node.Is(type::kSeqStmt); }

Node Shrunk(const Node& buffer, int64_t elements) {
  const Node type = buffer["ty"], none = std::vector<Node>{};
  constexpr int kDefaultAlignment = -1, kNoOffset = 0;
  const Node extent = IntImm(DTypeOf(type["shape"].At(0)), elements);
  return Make(global::kBufferVar, buffer["name"],
              Make(global::kMakeBufferType, type["storage_scope"], type["dtype"], Node({extent}),
                   none, Node(), kDefaultAlignment, kNoOffset, Node(), none));
}

std::vector<Node> Rewrite(const Node& sequence, const Json& parameters) {
  std::vector<Node> replaced;
  for (const Node& statement : sequence["seq"].Items()) {
    if (!statement.Is(type::kAllocBuffer)) continue;
    const Node buffer = statement["buffer"], shape = buffer["ty"]["shape"];
    if (shape.size() != 1 || !shape.At(0).Is(type::kIntImm)) continue;
    const int64_t elements = shape.At(0).Int() - parameters.at("by").get<int64_t>();
    if (elements < 1 || elements == shape.At(0).Int()) continue;
    const Node smaller = Shrunk(buffer, elements);
    replaced.push_back(
        Map(sequence, [&](const Node& node) { return node.Same(buffer) ? smaller : node; }));
  }
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.allocation", .category = "accelerators", .source = "new",
        .summary = "Allocates a kernel's own buffer too small.",
        .doc =
            R"(The last elements lie beyond the buffer, in what follows it or in another's memory.
Fault: TVM's pull requests 2580 (sizes that overflow) and 14347 (a size that became negative).
Survives where the allocation is rounded up, or nothing lies behind it.)",
        .example = "lowered",
        .parameters = {{.name = "by",
                        .type = "integer",
                        .fallback = 1,
                        .doc = "How many elements fewer. At least one is left."}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
