// Plain loops around one copy, in the order of the packed weight: it runs once, at load.
#include "compile/schedule/packing.h"

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kIndexType = "int64";

Node Buffer(const std::string& name, const TensorType& type) {
  std::vector<Node> shape;
  for (int64_t extent : type.shape) shape.push_back(IntImm(kIndexType, extent));
  constexpr int kDefaultAlignment = -1, kNoOffset = 0;
  const Node none = std::vector<Node>{};
  return Make(global::kBufferVar, name,
              Make(global::kMakeBufferType, "", PrimType(type.dtype), Node(shape), none, Node(),
                   kDefaultAlignment, kNoOffset, Node(), none));
}

}  // namespace

TensorType Packing::packed() const {
  TensorType type = {{(weight.shape.at(axis) + block - 1) / block}, weight.dtype};
  for (size_t i = 0; i < weight.shape.size(); ++i)
    if (i != axis) type.shape.push_back(weight.shape[i]);
  type.shape.push_back(block);
  return type;
}

std::string Packing::NameFor(const std::string& weight_name) const {
  return weight_name + "~packed" + std::to_string(axis) + "x" + std::to_string(block);
}

Result<Node> PackingKernel(const Packing& packing) {
  return Guard("packing a weight", [&] {
    const TensorType packed = packing.packed();
    const Node from = Buffer("weight", packing.weight), to = Buffer("packed", packed);
    std::vector<Node> to_index, from_index;
    for (size_t i = 0; i < packed.shape.size(); ++i)
      to_index.push_back(Make(global::kVar, "i" + std::to_string(i), PrimType(kIndexType)));
    from_index.assign(to_index.begin() + 1, to_index.end() - 1);
    Node channel =
        Make(prim::kAdd, Make(prim::kMul, to_index[0], IntImm(kIndexType, packing.block)),
             to_index.back());
    if (const int64_t channels = packing.weight.shape[packing.axis]; channels % packing.block != 0)
      channel = Make(prim::kMin, channel, IntImm(kIndexType, channels - 1));
    from_index.insert(from_index.begin() + static_cast<long>(packing.axis), channel);
    Node body = Make(global::kBufferStore, to, Make(global::kBufferLoad, from, Node(from_index)),
                     Node(to_index));
    constexpr int kSerial = 0;
    for (size_t i = packed.shape.size(); i-- > 0;)
      body = Make(global::kFor, to_index[i], IntImm(kIndexType, 0),
                  IntImm(kIndexType, packed.shape[i]), kSerial, body, Node(), MakeDict({}), Node());
    // ir.DictAttrs has no constructor of its own; that of an empty module is empty.
    return Make(global::kPrimFunc, Node{from, to}, body, Call(global::kTypeMissing),
                MakeModule({})["attrs"]);
  });
}

}  // namespace mutatenn
