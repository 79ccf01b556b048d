// Node, Call, traversal and literals on tvm-ffi's C++ API. The compiler's own headers do not exist
// in the wheel: everything of the compiler is reached by name.
#include "tvm/node.h"

#include <dlfcn.h>

#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/map.h>
#include <tvm/ffi/extra/structural_equal.h>
#include <tvm/ffi/extra/structural_hash.h>
#include <tvm/ffi/extra/structural_mutate.h>
#include <tvm/ffi/extra/structural_visit.h>
#include <tvm/ffi/reflection/accessor.h>
#include <tvm/ffi/tvm_ffi.h>

#include <exception>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "tvm/symbols.h"

namespace mutatenn {
namespace ffi = tvm::ffi;
namespace {

ffi::Any& AnyOf(Node& node) { return *static_cast<ffi::Any*>(node.storage()); }
const ffi::Any& AnyOf(const Node& node) { return *static_cast<const ffi::Any*>(node.storage()); }

Node Wrap(ffi::Any any) {
  Node node;
  AnyOf(node) = std::move(any);
  return node;
}

static_assert(sizeof(ffi::Any) == 16 && alignof(ffi::Any) <= 8);

// Fields are found in the ancestors too, and remembered: reflection's own lookup is linear.
const TVMFFIFieldInfo* FindField(int32_t type_index, const char* name) {
  static std::unordered_map<int32_t, std::unordered_map<std::string, const TVMFFIFieldInfo*>> cache;
  auto& fields = cache[type_index];
  if (fields.empty()) {
    ffi::reflection::ForEachFieldInfo(TVMFFIGetTypeInfo(type_index), [&](const TVMFFIFieldInfo* f) {
      fields.emplace(std::string(f->name.data, f->name.size), f);
    });
  }
  auto found = fields.find(name);
  return found == fields.end() ? nullptr : found->second;
}

const ffi::Function& GlobalFunction(const char* name) {
  static std::map<std::string, ffi::Function, std::less<>> cache;
  auto found = cache.find(std::string_view(name));
  if (found == cache.end())
    found = cache.emplace(name, ffi::Function::GetGlobalRequired(name)).first;
  return found->second;
}

Node CallFunction(const ffi::Function& function, const std::vector<Node>& arguments) {
  std::vector<ffi::AnyView> views;
  views.reserve(arguments.size());
  for (const Node& argument : arguments) views.emplace_back(AnyOf(argument));
  ffi::Any result;
  function.CallPacked(ffi::PackedArgs(views.data(), static_cast<int32_t>(views.size())), &result);
  return Wrap(std::move(result));
}

}  // namespace

Node::Node() noexcept { new (storage_) ffi::Any(); }
Node::Node(bool value) { new (storage_) ffi::Any(value); }
Node::Node(int value) { new (storage_) ffi::Any(static_cast<int64_t>(value)); }
Node::Node(int64_t value) { new (storage_) ffi::Any(value); }
Node::Node(double value) { new (storage_) ffi::Any(value); }
Node::Node(const char* value) { new (storage_) ffi::Any(ffi::String(value)); }
Node::Node(const std::string& value) { new (storage_) ffi::Any(ffi::String(value)); }
Node::Node(std::initializer_list<Node> items) : Node(std::vector<Node>(items)) {}
Node::Node(const std::vector<Node>& items) {
  ffi::Array<ffi::Any> array;
  for (const Node& item : items) array.push_back(AnyOf(item));
  new (storage_) ffi::Any(std::move(array));
}
Node::Node(const Node& other) { new (storage_) ffi::Any(AnyOf(other)); }
Node::Node(Node&& other) noexcept { new (storage_) ffi::Any(std::move(AnyOf(other))); }
Node& Node::operator=(const Node& other) {
  if (this != &other) AnyOf(*this) = AnyOf(other);
  return *this;
}
Node& Node::operator=(Node&& other) noexcept {
  AnyOf(*this) = std::move(AnyOf(other));
  return *this;
}
Node::~Node() { AnyOf(*this).~Any(); }

bool Node::defined() const { return AnyOf(*this) != nullptr; }
bool Node::IsObject() const {
  return AnyOf(*this).type_index() >= TVMFFITypeIndex::kTVMFFIStaticObjectBegin;
}

std::string_view Node::key() const {
  const TVMFFITypeInfo* info = TVMFFIGetTypeInfo(AnyOf(*this).type_index());
  return {info->type_key.data, info->type_key.size};
}

const void* Node::id() const {
  return IsObject() ? static_cast<const void*>(AnyOf(*this).cast<ffi::ObjectRef>().get()) : nullptr;
}

bool Node::Same(const Node& other) const { return AnyOf(*this).same_as(AnyOf(other)); }

Node Node::operator[](const char* field) const {
  if (!IsObject())
    GiveUp(std::string("no field '") + field + "' in a value of type " + std::string(key()));
  const TVMFFIFieldInfo* info = FindField(AnyOf(*this).type_index(), field);
  if (info == nullptr) GiveUp(std::string("no field '") + field + "' in " + std::string(key()));
  return Wrap(ffi::reflection::FieldGetter(info)(AnyOf(*this).cast<ffi::ObjectRef>().get()));
}

bool Node::Has(const char* field) const {
  return IsObject() && FindField(AnyOf(*this).type_index(), field) != nullptr;
}

size_t Node::size() const {
  if (auto map = AnyOf(*this).as<ffi::Map<ffi::Any, ffi::Any>>()) return map->size();
  return AnyOf(*this).cast<ffi::Array<ffi::Any>>().size();
}
Node Node::At(size_t index) const {
  return Wrap(AnyOf(*this).cast<ffi::Array<ffi::Any>>()[static_cast<int64_t>(index)]);
}
std::vector<Node> Node::Items() const {
  std::vector<Node> items;
  for (const ffi::Any& item : AnyOf(*this).cast<ffi::Array<ffi::Any>>())
    items.push_back(Wrap(item));
  return items;
}
std::vector<std::pair<Node, Node>> Node::Entries() const {
  std::vector<std::pair<Node, Node>> entries;
  for (const auto& kv : AnyOf(*this).cast<ffi::Map<ffi::Any, ffi::Any>>())
    entries.emplace_back(Wrap(kv.first), Wrap(kv.second));
  return entries;
}
Node Node::Find(const Node& map_key) const {
  auto map = AnyOf(*this).cast<ffi::Map<ffi::Any, ffi::Any>>();
  auto found = map.find(AnyOf(map_key));
  return found == map.end() ? Node() : Wrap((*found).second);
}

int64_t Node::Int() const {
  if (Is(type::kIntImm)) return (*this)["value"].Int();
  return AnyOf(*this).cast<int64_t>();
}
double Node::Float() const {
  if (Is(type::kFloatImm) || Is(type::kIntImm)) return (*this)["value"].Float();
  return AnyOf(*this).cast<double>();
}
std::string Node::Text() const { return std::string(AnyOf(*this).cast<ffi::String>()); }

Node CallList(const char* function, const std::vector<Node>& arguments) {
  return CallFunction(GlobalFunction(function), arguments);
}
Node Invoke(const Node& function, const std::vector<Node>& arguments) {
  return CallFunction(AnyOf(function).cast<ffi::Function>(), arguments);
}
bool HasGlobal(const char* function) { return ffi::Function::GetGlobal(function).has_value(); }

std::string ExceptionText() {
  std::string text;
  try {
    throw;
  } catch (const ffi::Error& e) {
    text = e.kind() + ": " + e.message();
  } catch (const std::exception& e) {
    text = e.what();
  } catch (...) {
    text = "an unknown exception";
  }
  // TVM appends whole modules to some messages; the first lines say what is wrong.
  constexpr size_t kLongest = 2000;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + " ...";
  return text;
}

void GiveUp(const std::string& reason) { throw std::runtime_error(reason); }

Node MakeDict(const std::vector<std::pair<Node, Node>>& entries) {
  ffi::Map<ffi::Any, ffi::Any> map;
  for (const auto& [key, value] : entries) map.Set(AnyOf(key), AnyOf(value));
  return Wrap(map);
}

Node DType(const std::string& dtype) { return Wrap(ffi::StringToDLDataType(ffi::String(dtype))); }
Node PrimType(const std::string& dtype) { return Call(global::kPrimType, DType(dtype)); }
Node IntImm(const std::string& dtype, int64_t value) {
  return Make(global::kIntImm, DType(dtype), value);
}
Node FloatImm(const std::string& dtype, double value) {
  return Make(global::kFloatImm, DType(dtype), value);
}

std::string DTypeOf(const Node& expression) {
  if (!expression.Has("ty")) return "";
  Node ty = expression["ty"];
  if (!ty.Is(type::kPrimType)) return "";
  return std::string(ffi::DLDataTypeToString(AnyOf(ty["dtype"]).cast<DLDataType>()));
}
bool IsFloat(const Node& expression) {
  std::string dtype = DTypeOf(expression);
  return dtype.find("float") != std::string::npos;
}
bool IsInteger(const Node& expression) {
  std::string dtype = DTypeOf(expression);
  return dtype.starts_with("int") || dtype.starts_with("uint");
}

namespace {

// tvm-ffi's engines are noexcept but for its own Error: any other exception of a callback is
// carried past them.
class Carrier {
 public:
  template <class F>
  auto Run(F&& f) -> decltype(f()) {
    try {
      return f();
    } catch (const ffi::Error&) {
      throw;
    } catch (...) {
      carried_ = std::current_exception();
      throw ffi::Error("RuntimeError", "a callback gave up", "");
    }
  }
  template <class F>
  auto Deliver(F&& f) -> decltype(f()) {
    try {
      return f();
    } catch (const ffi::Error&) {
      if (carried_) std::rethrow_exception(carried_);
      throw;
    }
  }

 private:
  std::exception_ptr carried_;
};

}  // namespace

Node Map(const Node& root, const std::function<Node(const Node&)>& f) {
  Carrier carrier;
  return carrier.Deliver([&] {
    return Wrap(ffi::StructuralMap<ffi::WalkOrder::kPostOrder>(
        AnyOf(root), [&](const ffi::ObjectRef& object) -> ffi::Any {
          if (!object.defined()) return object;
          return AnyOf(carrier.Run([&] { return f(Wrap(object)); }));
        }));
  });
}

void Walk(const Node& root, const std::function<void(const Node&)>& f) {
  Carrier carrier;
  carrier.Deliver([&] {
    ffi::StructuralWalk<ffi::WalkOrder::kPreOrder>(
        AnyOf(root), [&](const ffi::ObjectRef& object) -> ffi::Expected<ffi::WalkResult> {
          if (object.defined()) carrier.Run([&] { f(Wrap(object)); });
          return ffi::WalkResult::Advance();
        });
  });
}

Node WithFields(const Node& node, const std::vector<std::pair<std::string, Node>>& fields) {
  auto field = [&](const char* name) {
    for (const auto& [replaced, value] : fields)
      if (replaced == name) return value;
    return node[name];
  };
  for (const auto& constructor : kConstructors) {
    if (!node.Is(constructor.type_key)) continue;
    std::vector<Node> arguments;
    for (const char* name : constructor.fields)
      if (name != nullptr) arguments.push_back(field(name));
    arguments.emplace_back();  // span
    return CallList(constructor.function, arguments);
  }
  GiveUp("no constructor is known for " + std::string(node.key()));
}

bool StructuralEqual(const Node& a, const Node& b, bool map_free_variables) {
  return ffi::StructuralEqual::Equal(AnyOf(a), AnyOf(b), map_free_variables);
}
uint64_t StructuralHash(const Node& node, bool map_free_variables) {
  return ffi::StructuralHash::Hash(AnyOf(node), map_free_variables);
}

std::string Script(const Node& node) {
  Node config = Call(global::kPrinterConfig, MakeDict({{"show_meta", false}}));
  return Call(global::kScript, node, config).Text();
}
std::string ToJsonText(const Node& node) { return Call(global::kToJson, node, Node()).Text(); }
Node FromJsonText(const std::string& text) { return Call(global::kFromJson, text); }

Node Attribute(const Node& function, const char* key) {
  Node attrs = function["attrs"];
  if (!attrs) return {};
  return attrs["__dict__"].Find(key);
}
Node WithAttribute(const Node& function, const char* key, const Node& value) {
  return Call(global::kWithAttr, function, key, value);
}
Node WithoutAttribute(const Node& function, const char* key) {
  return Call(global::kWithoutAttr, function, key);
}

Node RunPass(const Node& pass, const Node& module) { return Call(global::kRunPass, pass, module); }

Node MakeModule(const std::vector<std::pair<std::string, Node>>& functions) {
  std::vector<std::pair<Node, Node>> entries;
  for (const auto& [name, function] : functions)
    entries.emplace_back(Call(global::kGlobalVar, name), function);
  return Call(global::kIRModule, MakeDict(entries), Node(), MakeDict({}));
}

Node FunctionOf(const Node& module, const std::string& name) {
  for (const auto& [variable, function] : module["functions"].Entries())
    if (variable["name_hint"].Text() == name) return function;
  return {};
}

bool CompilerLoaded() { return HasGlobal(global::kGetTarget); }

Status LoadCompiler() {
  if (CompilerLoaded()) return Ok();
  // RTLD_GLOBAL: its static initialisers register the compiler's functions in libtvm_ffi's tables.
  for (const char* path : {"libtvm_compiler.so", MUTATENN_TVM_COMPILER}) {
    if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) != nullptr) return Ok();
  }
  const char* why = dlerror();
  return Fail(Code::kUnavailable, "cannot load TVM's compiler (", why != nullptr ? why : "unknown",
              "): run tools/setup, or pip install apache-tvm==0.27.0.post1");
}

}  // namespace mutatenn
