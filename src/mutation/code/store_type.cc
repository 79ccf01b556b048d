#include <cmath>

#include "mutation/expressions.h"
#include "mutation/rounding.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kFrom = "float32";

// Results of reductions live in registers on some targets (buffers of scope local): they can be
// rounded but not seen as another type.
bool Considers(const Place& place, const Json& parameters) {
  return parameters.at("mode") == "round" || (place.output && !place.reduction);
}

bool Matches(const Node& node, const Json&) {
  return node.Is(type::kBufferStore) && ScalarType(node["value"]) == kFrom;
}

bool IsIntegerType(const std::string& dtype) { return dtype.starts_with("int"); }

// Float to integer saturates, at the largest floats that the type holds.
Node Converted(const Node& value, const std::string& to) {
  Node bounded = value;
  if (IsIntegerType(to)) {
    const int bits = std::stoi(to.substr(3));
    const double lowest = -std::ldexp(1.0, bits - 1);
    const double largest =
        bits < 24 ? -lowest - 1 : std::nextafter(static_cast<float>(-lowest), 0.0f);
    bounded = Make(prim::kMin, bounded, *ConstantLike(value, largest));
    bounded = Make(prim::kMax, bounded, *ConstantLike(value, lowest));
  }
  return Make(prim::kCast, TypeLike(value, to), bounded);
}

// Whether a constant goes through the type and back unchanged, as the 0 that starts a reduction.
bool IsExact(const Node& value, const std::string& to) {
  if (to == "float64") return true;
  if (!IsConstant(value)) return false;
  const double number = ValueOf(value);
  return IsIntegerType(to) ? std::floor(number) == number && HoldsInteger(to, number)
                           : RoundTo(to, number) == number;
}

int BytesOf(const std::string& dtype) {
  return std::stoi(dtype.substr(dtype.find_first_of("0123456789"))) / 8;
}

// The same memory as a flat buffer of another type.
std::vector<Node> Reinterpreted(const Node& store, const std::string& to, bool inside) {
  const Node buffer = store["buffer"], type = buffer["ty"];
  if (type["storage_scope"].Text() == "local") return {};
  const std::vector<Node> indices = store["indices"].Items(), shape = type["shape"].Items();
  if (indices.empty()) return {};
  Node position = indices[0];
  int64_t elements = shape[0].Int();
  for (size_t axis = 1; axis < indices.size(); ++axis) {
    position = Make(prim::kAdd, Make(prim::kMul, position, shape[axis]), indices[axis]);
    elements *= shape[axis].Int();
  }
  int64_t room = elements * BytesOf(kFrom) / BytesOf(to);
  if (room == 0) return {};
  if (inside && room < elements)
    position =
        Make(prim::kMin,
             Make(prim::kFloorDiv, position, *ConstantLike(position, BytesOf(to) / BytesOf(kFrom))),
             *ConstantLike(position, static_cast<double>(room - 1)));
  if (!inside) room = elements;
  constexpr int kDefaultAlignment = -1, kNoOffset = 0;
  const Node none = std::vector<Node>{};
  const Node view = Make(global::kBufferVar, buffer["name"].Text() + "_as_" + to,
                         Make(global::kMakeBufferType, type["storage_scope"], PrimType(to),
                              Node({IntImm(ScalarType(position), room)}), none, Node(),
                              kDefaultAlignment, kNoOffset, Node(), none));
  return {Make(
      global::kSeqStmt,
      Node({Make(global::kDeclBuffer, view, Call(global::kBufferData, buffer)),
            Make(global::kBufferStore, view, Converted(store["value"], to), Node({position}))}))};
}

std::vector<Node> Rewrite(const Node& store, const Json& parameters) {
  const std::string to = parameters.at("to");
  if (parameters.at("mode") == "reinterpret")
    return Reinterpreted(store, to, parameters.at("inside"));
  if (IsExact(store["value"], to)) return {};
  const Node there = Converted(store["value"], to);
  return {WithFields(store, {{"value", Make(prim::kCast, TypeLike(there, kFrom), there)}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.store_type", .category = "arithmetic types", .source = "paper",
        .summary = "Stores a float32 value as another type.",
        .doc =
            R"(A type too narrow. Rounded, a value loses precision (float16 keeps 11 bits and is infinite beyond
65504, an integer keeps no fraction and saturates). Reinterpreted, the elements have the new type while
readers keep theirs: what they find is another number, the paper's implicit crash.
float64 rounds nothing and has points in mode reinterpret only; that mode is for what a kernel hands on
and no reduction writes, for sums live in registers.
Fault: nearly a fifth of the bugs of TVM, Glow and nGraph are about types (Shen et al., A comprehensive
study of deep learning compiler bugs, 2021); TVM's issues 1942 and 8296 are about float16.
Survives where the network tolerates the lower precision there.)",
        .example = "kernels",
        .parameters = {{.name = "to",
                        .type = "string",
                        .fallback = "float16",
                        .doc = "The type that is stored.",
                        .allowed = {"float16", "bfloat16", "float64", "int32", "int16", "int8"}},
                       {.name = "mode",
                        .type = "string",
                        .fallback = "round",
                        .doc = "round: the value goes through the type and back; reinterpret: its "
                               "elements lie in memory as the type.",
                        .allowed = {"round", "reinterpret"}},
                       {.name = "inside",
                        .type = "boolean",
                        .fallback = true,
                        .doc = "reinterpret: positions of wider elements are scaled, so that they "
                               "stay inside the buffer."},
                       {.name = "per",
                        .type = "string",
                        .fallback = "store",
                        .doc = "What one mutant changes: a store, all stores to a buffer, all of a "
                               "kernel.",
                        .allowed = {"store", "buffer", "kernel"}}},
        .considers = Considers, .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
