// A node into its operands and back: one table says which fields hold expressions or statements.
#include "mutation/expressions.h"

#include <cmath>
#include <map>
#include <string_view>

#include "mutation/rounding.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kIndices = "indices";

const std::vector<const char*>& OperandsOf(const Node& node) {
  using Fields = std::vector<const char*>;
  static const std::map<std::string_view, Fields> fields = [] {
    std::map<std::string_view, Fields> all = {
        {prim::kNot, {"a"}},
        {prim::kCast, {"value"}},
        {prim::kSelect, {"condition", "true_value", "false_value"}},
        {prim::kRamp, {"base", "stride"}},
        {prim::kBroadcast, {"value"}},
        {type::kCall, {"args"}},
        {type::kTensorLoad, {kIndices}},
        {type::kBufferStore, {"value", kIndices}},
        {type::kIfThenElse, {"condition", "then_case", "else_case"}},
        {type::kSeqStmt, {"seq"}},
        {type::kEvaluate, {"value"}},
        {type::kBind, {"value"}},
        {type::kAttrStmt, {"value", "body"}},
        {type::kFor, {"min", "extent", "body"}},
    };
    for (const char* binary : {prim::kAdd, prim::kSub, prim::kMul, prim::kDiv, prim::kFloorDiv,
                               prim::kFloorMod, prim::kMin, prim::kMax, prim::kEQ, prim::kNE,
                               prim::kLT, prim::kLE, prim::kGT, prim::kGE, prim::kAnd, prim::kOr})
      all[binary] = {"a", "b"};
    return all;
  }();
  static const Fields none;
  const auto found = fields.find(node.key());
  return found == fields.end() ? none : found->second;
}

}  // namespace

Node MapExpressions(const Node& root, Descend descend, const MapExpression& f) {
  std::vector<std::pair<std::string, Node>> changed;
  for (const char* field : OperandsOf(root)) {
    if (field == kIndices && descend == Descend::kNotIntoIndices) continue;
    const Node operand = root[field];
    if (!operand) continue;
    if (!operand.Is("ffi.Array")) {
      const Node mapped = MapExpressions(operand, descend, f);
      if (!mapped.Same(operand)) changed.emplace_back(field, mapped);
      continue;
    }
    std::vector<Node> items = operand.Items();
    bool differs = false;
    for (Node& item : items) {
      const Node mapped = MapExpressions(item, descend, f);
      differs = differs || !mapped.Same(item);
      item = mapped;
    }
    if (differs) changed.emplace_back(field, Node(items));
  }
  return f(changed.empty() ? root : WithFields(root, changed), root);
}

void VisitExpressions(const Node& root, Descend descend,
                      const std::function<void(const Node&)>& f) {
  MapExpressions(root, descend, [&](const Node& node, const Node&) {
    f(node);
    return node;
  });
}

bool IsAccess(const Node& node) {
  return node.Is(type::kTensorLoad) || node.Is(type::kBufferStore);
}

Node BufferOf(const Node& access) {
  return access.Is(type::kTensorLoad) ? access["source"] : access["buffer"];
}

bool IsParameter(const Node& function, const Node& buffer) {
  for (const Node& parameter : function["params"].Items())
    if (parameter.Same(buffer)) return true;
  return false;
}

bool HasLoad(const Node& expression) {
  bool found = false;
  VisitExpressions(expression, Descend::kNotIntoIndices,
                   [&](const Node& node) { found = found || node.Is(type::kTensorLoad); });
  return found;
}

bool IsIntrinsic(const Node& node, const char* name) {
  return node.Is(type::kCall) && node["op"].Is(type::kOp) && node["op"]["name"].Text() == name;
}

Node Nothing() { return Make(global::kEvaluate, IntImm("int32", 0)); }

bool IsConstant(const Node& node) {
  if (node.Is(prim::kBroadcast)) return IsConstant(node["value"]);
  return node.Is(type::kIntImm) || node.Is(type::kFloatImm);
}

double ValueOf(const Node& constant) {
  return constant.Is(prim::kBroadcast) ? ValueOf(constant["value"]) : constant.Float();
}

namespace {

// "x16" of float32x16; "" of a scalar.
std::string LanesOf(const Node& expression) {
  const std::string dtype = DTypeOf(expression);
  const size_t lanes = dtype.rfind('x');
  return lanes == std::string::npos ? "" : dtype.substr(lanes);
}

}  // namespace

std::string ScalarType(const Node& expression) {
  const std::string dtype = DTypeOf(expression);
  return dtype.substr(0, dtype.size() - LanesOf(expression).size());
}

Node TypeLike(const Node& expression, const std::string& scalar_type) {
  return PrimType(scalar_type + LanesOf(expression));
}

Node BroadcastLike(const Node& expression, const Node& scalar) {
  const std::string lanes = LanesOf(expression);
  if (lanes.empty()) return scalar;
  return Make(prim::kBroadcast, scalar, IntImm("int32", std::stoi(lanes.substr(1))));
}

bool HoldsInteger(const std::string& dtype, double value) {
  const bool is_signed = dtype.starts_with("int");
  const int bits = std::stoi(dtype.substr(is_signed ? 3 : 4));
  const double limit = std::ldexp(1.0, is_signed ? bits - 1 : bits);
  return value < limit && value >= (is_signed ? -limit : 0.0) && std::abs(value) <= 0x1p53;
}

std::optional<Node> ConstantLike(const Node& expression, double value) {
  const std::string dtype = ScalarType(expression);
  if (IsInteger(expression)) {
    if (std::floor(value) != value || !HoldsInteger(dtype, value)) return std::nullopt;
    return BroadcastLike(expression, IntImm(dtype, static_cast<int64_t>(value)));
  }
  const auto rounded = RoundTo(dtype, value);
  if (!rounded || !std::isfinite(*rounded)) return std::nullopt;
  return BroadcastLike(expression, FloatImm(dtype, *rounded));
}

const NamedKind* KindOf(const NamedKind* begin, const NamedKind* end, const Node& node) {
  for (const NamedKind* kind = begin; kind != end; ++kind)
    if (node.Is(kind->key)) return kind;
  return nullptr;
}

bool Names(const Json& parameters, const char* parameter, const std::string& word) {
  for (const Json& item : parameters.at(parameter))
    if (item == word) return true;
  return false;
}

std::vector<Node> IndexVariants(const Node& access,
                                const std::function<std::vector<Node>(const Node&)>& replacements) {
  std::vector<Node> variants;
  const std::vector<Node> indices = access[kIndices].Items();
  for (size_t axis = 0; axis < indices.size(); ++axis) {
    std::vector<std::pair<int, Node>> edits;  // number of the node, what stands for it
    int count = 0;
    VisitExpressions(indices[axis], Descend::kEverywhere, [&](const Node& node) {
      for (const Node& replacement : replacements(node)) edits.emplace_back(count, replacement);
      ++count;
    });
    for (const auto& [place, replacement] : edits) {
      int number = 0;
      std::vector<Node> edited = indices;
      edited[axis] = MapExpressions(
          indices[axis], Descend::kEverywhere,
          [&](const Node& node, const Node&) { return number++ == place ? replacement : node; });
      variants.push_back(WithFields(access, {{kIndices, Node(edited)}}));
    }
  }
  return variants;
}

}  // namespace mutatenn
