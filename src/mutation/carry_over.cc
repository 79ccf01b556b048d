// Each index of the scheduled access is an index of the original, its quotient or its remainder
// (weights packed by channels, tiles of accumulators, columns sorted by phase). Which one is found
// by evaluating both over random iterations; the mutated index then goes the same way.
#include "mutation/carry_over.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

using Iteration = std::map<const void*, int64_t>;  // value of each iterator's variable

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a < 0) != (b < 0))); }

std::optional<int64_t> Evaluate(const Node& index, const Iteration& iteration) {
  if (index.Is(type::kIntImm)) return index.Int();
  if (index.Is(type::kVar)) {
    const auto found = iteration.find(index.id());
    return found == iteration.end() ? std::nullopt : std::optional(found->second);
  }
  if (index.Is(prim::kCast)) return Evaluate(index["value"], iteration);
  if (!index.Has("a") || !index.Has("b")) return std::nullopt;
  const auto a = Evaluate(index["a"], iteration), b = Evaluate(index["b"], iteration);
  if (!a || !b) return std::nullopt;
  if (index.Is(prim::kAdd)) return *a + *b;
  if (index.Is(prim::kSub)) return *a - *b;
  if (index.Is(prim::kMul)) return *a * *b;
  if (index.Is(prim::kMin)) return std::min(*a, *b);
  if (index.Is(prim::kMax)) return std::max(*a, *b);
  if (*b == 0) return std::nullopt;
  if (index.Is(prim::kFloorDiv)) return FloorDivide(*a, *b);
  if (index.Is(prim::kFloorMod)) return *a - FloorDivide(*a, *b) * *b;
  return std::nullopt;
}

constexpr int kSpatial = 0;

// The iterators of the block that the scheduled block has too, in order.
std::vector<Node> SharedIterators(const Node& block, bool init) {
  std::vector<Node> shared;
  for (const Node& iterator : block["iter_vars"].Items())
    if (!init || iterator["iter_type"].Int() == kSpatial) shared.push_back(iterator);
  return shared;
}

std::vector<Node> Substitute(const std::vector<Node>& indices,
                             const std::map<const void*, Node>& variables) {
  std::vector<Node> substituted;
  for (const Node& index : indices)
    substituted.push_back(
        MapExpressions(index, Descend::kEverywhere, [&](const Node& node, const Node&) {
          const auto found = variables.find(node.id());
          return node.Is(type::kVar) && found != variables.end() ? found->second : node;
        }));
  return substituted;
}

std::vector<Iteration> Iterations(const std::vector<Node>& iterators) {
  constexpr int kSamples = 64;
  std::mt19937 random(1);
  std::vector<Iteration> iterations;
  for (int sample = 0; sample < kSamples; ++sample) {
    Iteration iteration;
    for (const Node& iterator : iterators) {
      const Node domain = iterator["dom"];
      std::uniform_int_distribution<int64_t> value(0, domain["extent"].Int() - 1);
      iteration[iterator["var"].id()] = domain["min"].Int() + value(random);
    }
    iterations.push_back(std::move(iteration));
  }
  return iterations;
}

// How an index of the layout is made of the original's.
struct Digit {
  size_t axis = 0;
  const char* operation = nullptr;  // null = the index itself; else floordiv or floormod
  int64_t divisor = 1;

  Node Of(const std::vector<Node>& indices) const {
    const Node& index = indices[axis];
    if (operation == nullptr) return index;
    return Make(operation, index, IntImm(DTypeOf(index), divisor));
  }
};

bool Agree(const Node& a, const Node& b, const std::vector<Iteration>& iterations) {
  return std::all_of(iterations.begin(), iterations.end(), [&](const Iteration& iteration) {
    const auto left = Evaluate(a, iteration), right = Evaluate(b, iteration);
    return left && right && *left == *right;
  });
}

Digit FindDigit(size_t position, const Node& scheduled, const std::vector<Node>& indices,
                const std::vector<int64_t>& divisors, const std::vector<Iteration>& iterations) {
  std::vector<size_t> axes;  // the one in the same place first: it is the likely one
  if (position < indices.size()) axes.push_back(position);
  for (size_t axis = 0; axis < indices.size(); ++axis)
    if (axis != position) axes.push_back(axis);
  std::vector<Digit> candidates;
  for (const size_t axis : axes) candidates.push_back({axis});
  for (const size_t axis : axes)
    for (const int64_t divisor : divisors)
      for (const char* operation : {prim::kFloorDiv, prim::kFloorMod})
        candidates.push_back({axis, operation, divisor});
  for (const Digit& digit : candidates)
    if (Agree(scheduled, digit.Of(indices), iterations)) return digit;
  GiveUp("the schedule for this target computes an index that has no counterpart in the kernel");
}

}  // namespace

Node CarryOver(const Node& access, const Node& mutated, const Node& block, const Node& scheduled,
               const Node& scheduled_block, bool init) {
  const std::vector<Node> iterators = SharedIterators(block, init);
  const std::vector<Node> scheduled_iterators = scheduled_block["iter_vars"].Items();
  if (iterators.size() != scheduled_iterators.size())
    GiveUp("the schedule for this target gave the block other iterators");
  std::map<const void*, Node> variables;
  for (size_t i = 0; i < iterators.size(); ++i)
    variables.emplace(iterators[i]["var"].id(), scheduled_iterators[i]["var"]);
  const std::vector<Node> before = Substitute(access["indices"].Items(), variables);
  const std::vector<Node> after = Substitute(mutated["indices"].Items(), variables);
  const std::vector<Node> now = scheduled["indices"].Items();
  if (StructuralEqual(Node(now), Node(before), /*map_free_variables=*/false))
    return WithFields(scheduled, {{"indices", Node(after)}});

  std::vector<int64_t> divisors;
  for (const Node& extent : BufferOf(scheduled)["ty"]["shape"].Items())
    if (extent.Int() > 1) divisors.push_back(extent.Int());
  const std::vector<Iteration> iterations = Iterations(scheduled_iterators);
  std::vector<Node> indices;
  for (size_t i = 0; i < now.size(); ++i)
    indices.push_back(FindDigit(i, now[i], before, divisors, iterations).Of(after));
  const Node carried = WithFields(scheduled, {{"indices", Node(indices)}});
  if (StructuralEqual(carried, scheduled, /*map_free_variables=*/false))
    GiveUp("the schedule for this target leaves out the index that is mutated");
  return carried;
}

}  // namespace mutatenn
