// Expressions mapped one by one; buffers of the kernel's own get another type, so that everything
// that reads or writes them is built anew.
#include "compile/rounding_variants.h"

#include <limits>
#include <map>
#include <set>

#include "tvm/schedule.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kSingle = "float32";
constexpr const char* kDouble = "float64";

bool IsSingle(const Node& expression) { return DTypeOf(expression) == kSingle; }
Node Widened(const Node& value) { return Make(prim::kCast, PrimType(kDouble), value); }
Node Rounded(const Node& value) { return Make(prim::kCast, PrimType(kSingle), value); }

bool HoldsSingles(const Node& buffer) {
  return StructuralEqual(buffer["ty"]["dtype"], PrimType(kSingle));
}

Node WithMapped(const Node& function, const std::function<Node(const Node&)>& f) {
  const Node mapped = Map(function, f);
  return WithFields(mapped, {{"params", mapped["params"]}});
}

}  // namespace

Node WithRoundedProducts(const Node& function) {
  return WithMapped(function, [](const Node& node) -> Node {
    if (!node.Is(prim::kMul) || !IsSingle(node)) return node;
    // Changes no finite number, and no compiler knows; NaN stays NaN.
    const double lowest = -std::numeric_limits<float>::max();
    return Make(prim::kMax, FloatImm(kSingle, lowest), node);
  });
}

Node WithFusedProducts(const Node& function) {
  return WithMapped(function, [](const Node& node) -> Node {
    if (!(node.Is(prim::kAdd) || node.Is(prim::kSub)) || !IsSingle(node)) return node;
    auto wide = [](const Node& term) {
      return term.Is(prim::kMul) ? Make(prim::kMul, Widened(term["a"]), Widened(term["b"]))
                                 : Widened(term);
    };
    const Node a = node["a"], b = node["b"];
    const bool second = b.Is(prim::kMul);
    if (!second && !a.Is(prim::kMul)) return node;
    // Of two products one is rounded.
    const char* made = node.Is(prim::kAdd) ? prim::kAdd : prim::kSub;
    return Rounded(second ? Make(made, Widened(a), wide(b)) : Make(made, wide(a), Widened(b)));
  });
}

Node WithFmaCalls(const Node& function) {
  auto negated = [](const Node& value) { return Make(prim::kSub, FloatImm(kSingle, -0.0), value); };
  auto fma = [](const Node& a, const Node& b, const Node& c) {
    return Make(global::kCall, PrimType(kSingle), Call(global::kGetOp, intrinsic::kPureExtern),
                Node({Make(global::kStringImm, "fma"), a, b, c}), Node(),
                Node(std::vector<Node>{}));
  };
  return WithMapped(function, [&](const Node& node) -> Node {
    const bool sub = node.Is(prim::kSub);
    if (!(node.Is(prim::kAdd) || sub) || !IsSingle(node)) return node;
    const Node a = node["a"], b = node["b"];
    if (b.Is(prim::kMul)) return fma(sub ? negated(b["a"]) : b["a"], b["b"], a);
    if (a.Is(prim::kMul)) return fma(a["a"], a["b"], sub ? negated(b) : b);
    return node;
  });
}

Node WithLocalOutputs(const Node& function) {
  Schedule schedule(function);
  for (const Node& block : schedule.OutputBlocks()) schedule.CacheWrite(block, "global");
  return schedule.Function();
}

Node InFloat64(const Node& function) {
  std::map<const void*, Node> wide;  // the kernel's own buffers -> theirs in float64
  std::set<const void*> parameters, outputs;
  for (const Node& parameter : function["params"].Items()) parameters.insert(parameter.id());
  Walk(function["body"], [&](const Node& node) {
    if (node.Is(type::kBufferStore) && parameters.count(node["buffer"].id()))
      outputs.insert(node["buffer"].id());
    if (!node.Is(type::kSBlock)) return;
    if (node["match_buffers"].size() > 0) GiveUp("the kernel has views of its buffers");
    for (const Node& buffer : node["alloc_buffers"].Items()) {
      const Node ty = buffer["ty"];
      if (!HoldsSingles(buffer)) continue;
      const Node none = std::vector<Node>{};
      constexpr int kDefaultAlignment = -1, kNoOffset = 0;
      wide[buffer.id()] =
          Make(global::kBufferVar, buffer["name"],
               Make(global::kMakeBufferType, ty["storage_scope"], PrimType(kDouble), ty["shape"],
                    none, Node(), kDefaultAlignment, kNoOffset, Node(), none));
    }
  });
  return WithMapped(function, [&](const Node& node) -> Node {
    if (const auto own = wide.find(node.id()); own != wide.end()) return own->second;
    if (node.Is(type::kTensorLoad)) {
      const Node load = WithFields(node, {});
      if (!parameters.count(node["source"].id())) return load;
      if (outputs.count(node["source"].id())) GiveUp("the kernel reads its output");
      return IsSingle(load) ? Widened(load) : load;
    }
    if (node.Is(type::kTensorRegion))
      return Call(global::kBufferRegion, node["source"], node["region"]);
    if (node.Is(type::kBufferStore)) {
      const bool output = outputs.count(node["buffer"].id()) > 0;
      const bool narrow = output && DTypeOf(node["value"]) == kDouble;
      return WithFields(node, {{"value", narrow ? Rounded(node["value"]) : node["value"]}});
    }
    if (!IsSingle(node)) return node;
    if (node.Is(type::kFloatImm))  // as float32 holds it
      return FloatImm(kDouble, static_cast<float>(node.Float()));
    if (node.Is(prim::kCast)) return Widened(node["value"]);
    if (node.Is(type::kCall)) return WithFields(node, {{"ty", PrimType(kDouble)}});
    if (node.Is(type::kVar)) GiveUp("the kernel names a number");
    return WithFields(node, {});  // of another type, since its operands are
  });
}

}  // namespace mutatenn
