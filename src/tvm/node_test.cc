// Node, traversal and literals against the installed TVM.
#include "tvm/node.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/files.h"
#include "base/json.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

class NodeTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(LoadCompiler().ok()); }

  static Json Example(const std::string& name) {
    const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    return ParseJson(ReadFile(root / "tests/examples" / name).value(), name).value();
  }
  // A padded convolution and a function with comparisons.
  static std::vector<Node> Kernels() {
    std::vector<Node> kernels;
    const Json example = Example("kernels.json");
    for (const Json& kernel : example.at("kernels"))
      kernels.push_back(FromJsonText(kernel.at("function").dump()));
    return kernels;
  }
  static Node RelaxFunction() { return FromJsonText(Example("layers.json").at("graph").dump()); }
  static Node X() { return Make(global::kVar, "x", PrimType("int32")); }
};

TEST_F(NodeTest, HoldsPlainValues) {
  EXPECT_FALSE(Node().defined());
  EXPECT_EQ(Node().key(), "None");
  EXPECT_FALSE(Node(nullptr).defined());
  EXPECT_EQ(Node(7).Int(), 7);
  EXPECT_EQ(Node(int64_t{1} << 40).Int(), int64_t{1} << 40);
  EXPECT_EQ(Node(0.25).Float(), 0.25);
  EXPECT_EQ(Node(true).key(), "bool");
  EXPECT_TRUE(Node(true).Int());
  EXPECT_EQ(Node("short").Text(), "short");
  EXPECT_EQ(Node(std::string(100, 'x')).Text(), std::string(100, 'x'));
  EXPECT_FALSE(Node(7).IsObject());
  EXPECT_EQ(Node(7).id(), nullptr);
  EXPECT_TRUE(Node(7).Same(Node(7)));
  EXPECT_FALSE(Node(7).Same(Node(8)));
}

TEST_F(NodeTest, CopiesShareTheObject) {
  const Node x = X();
  Node copy = x;
  EXPECT_TRUE(copy.Same(x));
  EXPECT_EQ(copy.id(), x.id());
  const Node moved = std::move(copy);
  EXPECT_TRUE(moved.Same(x));
  EXPECT_FALSE(X().Same(x));
  Node& self = const_cast<Node&>(x);
  self = self;
  EXPECT_TRUE(moved.Same(x));
}

TEST_F(NodeTest, ArraysAndMaps) {
  const Node array({Node(1), Node("two"), X()});
  EXPECT_EQ(array.key(), "ffi.Array");
  ASSERT_EQ(array.size(), 3u);
  EXPECT_EQ(array.At(1).Text(), "two");
  EXPECT_EQ(array.Items()[2].key(), "ir.Var");
  EXPECT_EQ(Node({X()}).size(), 1u) << "one element in braces is an array too";
  EXPECT_EQ(Node(std::vector<Node>{}).size(), 0u);
  const Node map = MakeDict({{"a", 1}, {"b", 2.5}});
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(map.Find("b").Float(), 2.5);
  EXPECT_FALSE(map.Find("c").defined());
  std::set<std::string> keys;
  for (const auto& [key, value] : map.Entries()) keys.insert(key.Text());
  EXPECT_EQ(keys, (std::set<std::string>{"a", "b"}));
  EXPECT_ANY_THROW(array.At(3));
  EXPECT_ANY_THROW(X().Items());
}

TEST_F(NodeTest, FieldsByNameAlsoInherited) {
  const Node lt = Make(prim::kLT, X(), IntImm("int32", 3));
  EXPECT_TRUE(lt.Is(prim::kLT));
  EXPECT_EQ(lt["a"]["name"].Text(), "x");
  EXPECT_EQ(lt["b"].Int(), 3);
  EXPECT_TRUE(lt["ty"].Is(type::kPrimType));  // of ir.Expr
  EXPECT_TRUE(lt.Has("ty"));
  EXPECT_FALSE(lt.Has("value"));
  EXPECT_FALSE(Node(1).Has("value"));
  const auto missing = Guard("here", [&] { return lt["nothing"]; });
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, "here: no field 'nothing' in prim.LT");
  EXPECT_FALSE(Guard("", [&] { return Node(1)["a"]; }).ok());
}

TEST_F(NodeTest, LiteralsAndTheirTypes) {
  EXPECT_EQ(IntImm("int64", -5).Int(), -5);
  EXPECT_EQ(IntImm("int64", -5).Float(), -5);
  EXPECT_EQ(FloatImm("float32", 0.5).Float(), 0.5);
  for (const char* dtype : {"float16", "bfloat16", "float32", "float64"}) {
    EXPECT_EQ(DTypeOf(FloatImm(dtype, 1)), dtype);
    EXPECT_TRUE(IsFloat(FloatImm(dtype, 1)));
    EXPECT_FALSE(IsInteger(FloatImm(dtype, 1)));
  }
  for (const char* dtype : {"int8", "int32", "uint8", "uint64"}) {
    EXPECT_EQ(DTypeOf(IntImm(dtype, 1)), dtype);
    EXPECT_TRUE(IsInteger(IntImm(dtype, 1)));
    EXPECT_FALSE(IsFloat(IntImm(dtype, 1)));
  }
  const Node condition = Make(prim::kLT, X(), X());
  EXPECT_EQ(DTypeOf(condition), "bool");
  EXPECT_FALSE(IsInteger(condition) || IsFloat(condition));
  EXPECT_EQ(DTypeOf(Node(1)), "");
}

TEST_F(NodeTest, GuardTurnsExceptionsIntoOneError) {
  const auto mismatch = Guard(
      "building", [] { return Make(prim::kAdd, IntImm("int32", 1), FloatImm("float32", 1)); });
  ASSERT_FALSE(mismatch.ok());
  EXPECT_EQ(mismatch.error().code, Code::kTvm);
  EXPECT_TRUE(mismatch.error().message.starts_with("building: ")) << mismatch.error().message;
  EXPECT_NE(mismatch.error().message.find("mismatched types"), std::string::npos)
      << mismatch.error().message;
  EXPECT_EQ(mismatch.error().message.find("Traceback"), std::string::npos);
  EXPECT_FALSE(Guard("", [] { return Call("no.such.function"); }).ok());
  EXPECT_FALSE(HasGlobal("no.such.function"));
  const auto long_text = Guard("", []() -> Node { GiveUp(std::string(100000, 'x')); });
  EXPECT_LT(long_text.error().message.size(), 2100u);
}

// Both traversals give each occurrence of a shared object; operands in order.
TEST_F(NodeTest, TraversalsVisitEveryOccurrence) {
  const Node shared = Make(prim::kLT, X(), IntImm("int32", 3));
  const Node both = Make(prim::kAnd, shared, Make(prim::kOr, shared, shared));
  std::vector<std::string> walked, mapped;
  Walk(both, [&](const Node& node) { walked.emplace_back(node.key()); });
  const Node same = Map(both, [&](const Node& node) {
    mapped.emplace_back(node.key());
    return node;
  });
  EXPECT_TRUE(same.Same(both)) << "a map that changes nothing keeps the object";
  const auto count = [](const auto& keys, const char* key) {
    return std::count(keys.begin(), keys.end(), key);
  };
  for (const auto& keys : {walked, mapped}) {
    EXPECT_EQ(count(keys, prim::kLT), 3);
    EXPECT_EQ(count(keys, type::kIntImm), 3);
  }
  EXPECT_EQ(walked.front(), prim::kAnd);
  EXPECT_EQ(mapped.back(), prim::kAnd);
  int number = 0;
  const Node second = Map(both, [&](const Node& node) {
    return node.Is(prim::kLT) && number++ == 1 ? Make(prim::kLE, node["a"], node["b"]) : node;
  });
  EXPECT_TRUE(second["a"].Same(shared));
  EXPECT_TRUE(second["b"]["a"].Is(prim::kLE));
  EXPECT_TRUE(second["b"]["b"].Same(shared));
  EXPECT_TRUE(both["b"]["a"].Same(shared)) << "the input was changed";
}

TEST_F(NodeTest, MapTakesStatementsInProgramOrder) {
  std::vector<std::string> stored;
  for (const Node& kernel : Kernels())
    Map(kernel["body"], [&](const Node& node) {
      if (node.Is(type::kBufferStore)) stored.push_back(node["buffer"]["name"].Text());
      return node;
    });
  EXPECT_EQ(stored, (std::vector<std::string>{"pad_temp", "conv2d_nchw_intermediate",
                                              "conv2d_nchw_intermediate", "compute_intermediate",
                                              "chosen", "kept", "late"}));
}

TEST_F(NodeTest, ExceptionsOfCallbacksPassTraversals) {
  const Node expression = Make(prim::kLT, X(), X());
  const auto mapped = Guard(
      "m", [&] { return Map(expression, [](const Node&) -> Node { GiveUp("on purpose"); }); });
  ASSERT_FALSE(mapped.ok());
  EXPECT_EQ(mapped.error().message, "m: on purpose");
  const auto walked = Guard("w", [&] {
    Walk(expression, [](const Node&) { GiveUp("on purpose"); });
    return 0;
  });
  ASSERT_FALSE(walked.ok());
  EXPECT_EQ(walked.error().message, "w: on purpose");
  const auto refused = Guard("t", [&] {
    return Map(expression,
               [](const Node& node) { return Make(prim::kAdd, node, IntImm("int8", 1)); });
  });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message.find("gave up"), std::string::npos) << refused.error().message;
}

// Every node that WithFields knows, found in real functions, comes back equal when nothing is
// replaced.
TEST_F(NodeTest, WithFieldsRebuildsWhatItKnows) {
  std::vector<Node> functions = Kernels();
  functions.push_back(RelaxFunction());
  std::set<std::string> rebuilt;
  for (const Node& function : functions)
    Walk(function, [&](const Node& node) {
      for (const Constructor& constructor : kConstructors) {
        if (!node.Is(constructor.type_key)) continue;
        const Node again = WithFields(node, {});
        // A SeqExpr gets its type when the function is normalised.
        EXPECT_TRUE(node.Is(type::kSeqExpr) || StructuralEqual(node, again, false)) << node.key();
        rebuilt.emplace(node.key());
      }
    });
  for (const char* type :
       {type::kPrimFunc, type::kSBlock, type::kSBlockRealize, type::kFor, type::kBufferStore,
        type::kSeqStmt, type::kCall, type::kTupleGetItem, type::kVarBinding, type::kDataflowBlock,
        type::kSeqExpr, type::kRelaxFunction})
    EXPECT_TRUE(rebuilt.contains(type)) << type;
  EXPECT_FALSE(Guard("", [] { return WithFields(X(), {}); }).ok());
}

TEST_F(NodeTest, WithFieldsReplaces) {
  const Node kernel = Kernels()[1];
  Node store;
  Walk(kernel["body"], [&](const Node& node) {
    if (node.Is(type::kBufferStore)) store = node;
  });
  const Node changed = WithFields(store, {{"value", IntImm("int32", 9)}});
  EXPECT_EQ(changed["value"].Int(), 9);
  EXPECT_TRUE(changed["buffer"].Same(store["buffer"]));
  EXPECT_FALSE(StructuralEqual(store, changed, false));
}

TEST_F(NodeTest, EqualityWithAndWithoutMappedVariables) {
  const Node x = X(), y = X();
  const Node xy = Make(prim::kLT, x, y), yx = Make(prim::kLT, y, x);
  EXPECT_TRUE(StructuralEqual(xy, yx, true));
  EXPECT_FALSE(StructuralEqual(xy, yx, false)) << "operands swapped are a change";
  EXPECT_EQ(StructuralHash(xy, true), StructuralHash(yx, true));
  EXPECT_TRUE(StructuralEqual(xy, Make(prim::kLT, x, y), false));
  EXPECT_FALSE(StructuralEqual(xy, Make(prim::kLE, x, y), true));
}

TEST_F(NodeTest, JsonAndScript) {
  for (const Node& kernel : Kernels()) {
    const Node back = FromJsonText(ToJsonText(kernel));
    EXPECT_TRUE(StructuralEqual(kernel, back));
    EXPECT_EQ(StructuralHash(kernel), StructuralHash(back));
    EXPECT_EQ(Script(kernel), Script(back));
  }
  EXPECT_NE(Script(Kernels()[0]).find("with T.sblock(\"conv2d_nchw\"):"), std::string::npos);
  EXPECT_FALSE(Guard("", [] { return FromJsonText("{"); }).ok());
}

TEST_F(NodeTest, Attributes) {
  const Node kernel = Kernels()[0];
  const Node named = WithAttribute(kernel, "global_symbol", "name");
  EXPECT_EQ(Attribute(named, "global_symbol").Text(), "name");
  EXPECT_FALSE(Attribute(kernel, "global_symbol").defined()) << "the original was changed";
  EXPECT_FALSE(Attribute(WithoutAttribute(named, "global_symbol"), "global_symbol").defined());
  EXPECT_TRUE(Attribute(kernel, "tirx.noalias").defined());
}

TEST_F(NodeTest, ModulesAndPasses) {
  const Node module = MakeModule({{"one", WithAttribute(Kernels()[0], "global_symbol", "one")},
                                  {"two", WithAttribute(Kernels()[1], "global_symbol", "two")}});
  EXPECT_TRUE(FunctionOf(module, "two").Is(type::kPrimFunc));
  EXPECT_FALSE(FunctionOf(module, "three").defined());
  const Node simplified = RunPass(Call("s_tir.transform.StmtSimplify"), module);
  EXPECT_TRUE(FunctionOf(simplified, "one").Is(type::kPrimFunc));
}

}  // namespace
}  // namespace mutatenn
