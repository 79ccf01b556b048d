// Parameters become pointers and are declared as the buffers they were. TVM's packed convention
// would have LLVM compile a second function, which unpacks and checks what our callers promise: an
// eighth of its time.
#include "compile/plain_function.h"

#include <vector>

#include "tvm/symbols.h"

namespace mutatenn {
namespace {

Node Attribute(const Node& node, const char* key, const Node& value, const Node& body) {
  return Make(global::kAttrStmt, node, key, value, body);
}

}  // namespace

Node PlainFunction(const Node& lowered, const std::string& symbol, const Node& target) {
  std::vector<Node> pointers, statements;
  Node body = lowered["body"];
  // What asks for a workspace asks it of a device.
  const Node where = Make(global::kStringImm, "default");
  constexpr int kCpu = 1;  // DLPack's number
  body = Attribute(where, "device_type", IntImm("int32", kCpu), body);
  body = Attribute(where, "device_id", IntImm("int32", 0), body);
  for (const Node& buffer : lowered["params"].Items()) {
    const Node type = buffer["ty"];
    if (!type.Is(type::kBufferType))
      GiveUp("the kernel's parameter " + buffer["name"].Text() + " is no buffer");
    const Node pointer = Make(global::kVar, buffer["name"].Text() + "_pointer",
                              Call(global::kPointerType, type["dtype"], type["storage_scope"]));
    pointers.push_back(pointer);
    statements.push_back(Make(global::kDeclBuffer, buffer, pointer));
    body =
        Attribute(buffer, "storage_alignment", IntImm("int32", type["data_alignment"].Int()), body);
  }
  statements.push_back(body);
  statements.push_back(Make(global::kReturn, IntImm("int32", 0)));
  Node function = WithFields(lowered, {{"params", pointers},
                                       {"body", Make(global::kSeqStmt, statements)},
                                       {"ret_type", PrimType("int32")}});
  function = WithAttribute(function, "global_symbol", symbol);
  function = WithAttribute(function, "target", target);
  function = WithAttribute(function, "tirx.is_global_func", true);
  return WithAttribute(function, "tirx.noalias", true);
}

}  // namespace mutatenn
