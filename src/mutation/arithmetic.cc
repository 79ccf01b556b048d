// One arithmetic node into the same with other operators.
#include "mutation/arithmetic.h"

#include <iterator>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr NamedKind kOperators[] = {{"add", prim::kAdd},           {"div", prim::kDiv},
                                    {"floordiv", prim::kFloorDiv}, {"floormod", prim::kFloorMod},
                                    {"max", prim::kMax},           {"min", prim::kMin},
                                    {"mul", prim::kMul},           {"sub", prim::kSub}};

const NamedKind* OperatorOf(const Node& node) {
  return KindOf(std::begin(kOperators), std::end(kOperators), node);
}

bool DividesIntegers(const std::string& key) {
  return key == prim::kFloorDiv || key == prim::kFloorMod;
}

bool IsValid(const NamedKind& kind, const Node& node) {
  const Node divisor = node["b"];
  const bool by_zero = IsConstant(divisor) && ValueOf(divisor) == 0;
  const bool divides = kind.key == std::string(prim::kDiv);
  if (IsFloat(node)) return !DividesIntegers(kind.key) && !(divides && by_zero);
  if (DividesIntegers(kind.key)) return divisor.Is(type::kIntImm) && !by_zero;
  return !divides;
}

// x + 0, x - 0, x * 1 and x // 1 are the same.
bool IsSame(const NamedKind& kind, const Node& node) {
  const Node b = node["b"];
  if (!IsConstant(b)) return false;
  auto neutral = [&](const std::string& key) -> std::optional<double> {
    if (key == prim::kAdd || key == prim::kSub) return 0;
    if (key == prim::kMul || key == prim::kDiv || key == prim::kFloorDiv) return 1;
    return std::nullopt;
  };
  const auto before = neutral(std::string(node.key())), after = neutral(kind.key);
  return before && after && *before == *after && ValueOf(b) == *before;
}

}  // namespace

bool IsArithmetic(const Node& node) { return OperatorOf(node) != nullptr; }

std::vector<Node> OtherArithmetic(const Node& node, const Json& parameters) {
  const NamedKind* own = OperatorOf(node);
  if (own == nullptr || !Names(parameters, "from", own->name)) return {};
  std::vector<Node> replaced;
  for (const NamedKind& kind : kOperators)
    if (Names(parameters, "to", kind.name) && kind.key != own->key && IsValid(kind, node) &&
        !IsSame(kind, node))
      replaced.push_back(Make(kind.key, node["a"], node["b"]));
  return replaced;
}

std::vector<ParameterSpec> ArithmeticParameters(Arithmetic arithmetic) {
  ParameterSpec from = {.name = "from",
                        .type = "strings",
                        .fallback = Json::array(),
                        .doc = "The operators that are replaced."};
  for (const NamedKind& kind : kOperators) {
    if (arithmetic == Arithmetic::kInteger && kind.key == std::string(prim::kDiv)) continue;
    from.fallback.push_back(kind.name);
    from.allowed.emplace_back(kind.name);
  }
  ParameterSpec to = from;
  to.name = "to";
  to.doc = "What stands in their place, a variant each.";
  return {from, to};
}

}  // namespace mutatenn
