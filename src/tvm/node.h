// A value of TVM's (IR node, array, map, string, number, null) behind a handle of ours, so that the
// other rooms need no TVM header: fields by name through reflection, global functions by name
// through Call. TVM reports errors by exceptions; they end in Guard, which every entry into this
// room from outside passes, and become a Result there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mutatenn {

class Node {
 public:
  Node() noexcept;  // null
  Node(std::nullptr_t) noexcept : Node() {}
  Node(bool value);
  Node(int value);
  Node(int64_t value);
  Node(double value);
  Node(const char* value);
  Node(const std::string& value);
  Node(std::initializer_list<Node> items);  // an array
  Node(const std::vector<Node>& items);     // an array
  Node(const Node& other);
  Node(Node&& other) noexcept;
  Node& operator=(const Node& other);
  Node& operator=(Node&& other) noexcept;
  ~Node();

  bool defined() const;  // not null
  explicit operator bool() const { return defined(); }
  std::string_view key() const;  // type key: "prim.LT", "ffi.Array", "None", "int", ...
  bool Is(std::string_view type_key) const { return key() == type_key; }
  bool IsObject() const;
  const void* id() const;              // identity of the object, null for numbers
  bool Same(const Node& other) const;  // the same object, or equal numbers

  Node operator[](const char* field) const;  // also inherited fields; throws where there is none
  bool Has(const char* field) const;

  size_t size() const;                                 // of an array or map
  Node At(size_t index) const;                         // of an array
  std::vector<Node> Items() const;                     // of an array
  std::vector<std::pair<Node, Node>> Entries() const;  // of a map
  Node Find(const Node& map_key) const;                // of a map; null where absent

  int64_t Int() const;       // of a number, or of an ir.IntImm
  double Float() const;      // of a number, or of an ir.FloatImm or ir.IntImm
  std::string Text() const;  // of a string

  void* storage() { return storage_; }
  const void* storage() const { return storage_; }

 private:
  alignas(8) unsigned char storage_[16];  // a tvm::ffi::Any
};

// Calls a global function. Throws what TVM throws; use inside Guard.
Node CallList(const char* function, const std::vector<Node>& arguments);
template <class... Args>
Node Call(const char* function, const Args&... arguments) {
  return CallList(function, std::vector<Node>{Node(arguments)...});
}
// Calls a function value (a pass, a packed function).
Node Invoke(const Node& function, const std::vector<Node>& arguments);
bool HasGlobal(const char* function);

// Runs `f`; an exception of TVM's (or of C++'s library) becomes kTvm with its first lines,
// `context` first.
std::string ExceptionText();  // of the exception being handled: message without backtrace
template <class F>
auto Guard(const std::string& context, F&& f) -> Result<decltype(f())> {
  try {
    return f();
  } catch (...) {
    std::string text = ExceptionText();
    return Fail(Code::kTvm, context, context.empty() ? "" : ": ", text);
  }
}
// Throws an exception that Guard turns into kTvm: how a rule inside Guard gives up.
[[noreturn]] void GiveUp(const std::string& reason);

// Containers and literals.
Node MakeDict(const std::vector<std::pair<Node, Node>>& entries);
Node DType(const std::string& dtype);  // "float32", "int8", "bool"
Node PrimType(const std::string& dtype);
Node IntImm(const std::string& dtype, int64_t value);
Node FloatImm(const std::string& dtype, double value);
std::string DTypeOf(const Node& expression);  // "" where it has no PrimType
bool IsFloat(const Node& expression);
bool IsInteger(const Node& expression);

// Constructs with a trailing null span: Make(prim::kLE, a, b).
template <class... Args>
Node Make(const char* constructor, const Args&... arguments) {
  return CallList(constructor, std::vector<Node>{Node(arguments)..., Node()});
}

// Traversal. Map rebuilds post-order: `f` gets each object with its children already mapped and
// returns it or a replacement. Walk visits pre-order and changes nothing. Both visit in program
// order.
Node Map(const Node& root, const std::function<Node(const Node&)>& f);
void Walk(const Node& root, const std::function<void(const Node&)>& f);
// A node with some fields replaced, rebuilt by its registered constructor (PrimFunc, SBlock,
// SBlockRealize, For, BufferStore, Var-free statements used by mutation).
Node WithFields(const Node& node, const std::vector<std::pair<std::string, Node>>& fields);

bool StructuralEqual(const Node& a, const Node& b, bool map_free_variables = true);
uint64_t StructuralHash(const Node& node, bool map_free_variables = true);
std::string Script(const Node& node);  // TVMScript, without metadata
std::string ToJsonText(const Node& node);
Node FromJsonText(const std::string& text);

// Attributes of functions.
Node Attribute(const Node& function, const char* key);  // null where absent
Node WithAttribute(const Node& function, const char* key, const Node& value);
Node WithoutAttribute(const Node& function, const char* key);

// Passes.
Node RunPass(const Node& pass, const Node& module);
// An ir.IRModule of functions by name (GlobalVars are made).
Node MakeModule(const std::vector<std::pair<std::string, Node>>& functions);
// The function of that name in a module; null where absent.
Node FunctionOf(const Node& module, const std::string& name);

// Loads libtvm_compiler.so on first use; kUnavailable where it cannot be found.
Status LoadCompiler();
bool CompilerLoaded();

}  // namespace mutatenn
