#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Considers(const Place& place, const Json&) { return place.init; }

bool Matches(const Node& node, const Json&) { return node.Is(type::kBufferStore); }

std::vector<Node> Rewrite(const Node&, const Json&) { return {Nothing()}; }

}  // namespace

MUTATION_OPERATOR(
        .id = "code.init_dropped", .category = "store value", .source = "new",
        .summary = "Leaves out the store that starts a reduction.",
        .doc =
            R"(A sum or maximum starts with what lay in its memory. (A reduction that starts with another value:
code.store_value with stores init.)
Fault: TVM's issue 9598, where the start of a reduction was guarded wrongly after compute_at.
Survives where that memory happens to hold the right start.)",
        .example = "kernels", .considers = Considers, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
