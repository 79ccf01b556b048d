#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Considers(const Place& place, const Json&) { return !place.init; }

bool Matches(const Node& node, const Json&) { return node.Is(type::kBufferStore); }

std::vector<Node> Rewrite(const Node&, const Json&) { return {Nothing()}; }

}  // namespace

MUTATION_OPERATOR(
        .id = "code.store_dropped", .category = "store value", .source = "new",
        .summary = "Leaves out a store.",
        .doc =
            R"(A statement lost: the buffer keeps what was there before, which for a kernel's own memory is
anything. Stores that start a reduction belong to code.init_dropped.
Fault: a pass that removes what it takes for dead; no known issue of TVM's in these kernels.
Survives where nothing reads the value, or where only a constant such as a padding is lost.)",
        .example = "kernels", .considers = Considers, .at_level_lowered = true, .matches = Matches,
        .rewrite = Rewrite);

}  // namespace mutatenn
