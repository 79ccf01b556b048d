// Every name of symbols.h (and of passes.h) in the installed wheel. The list is read from the
// header itself, so that no name can be left out; an upgrade of TVM fails here with all that is
// gone.
#include "tvm/symbols.h"

#include <gtest/gtest.h>
#include <tvm/ffi/reflection/accessor.h>
#include <tvm/ffi/tvm_ffi.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/files.h"
#include "base/json.h"
#include "tvm/gpu_passes.h"
#include "tvm/node.h"
#include "tvm/passes.h"
#include "tvm/relax_passes.h"

namespace mutatenn {
namespace {

struct Symbol {
  std::string space;  // "global", "prim", "type", ...
  std::string constant;
  std::string name;
};

// `inline constexpr const char* kName = "name";` in `namespace space {`. Lines that end in `// an
// annotation` name no function.
std::vector<Symbol> ReadSymbols() {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "symbols.h";
  std::istringstream text(ReadFile(path).value());
  const std::regex opening(R"(namespace (\w+) \{)");
  const std::regex constant(R"re((k\w+) =\s*"([^"]+)")re");
  std::vector<Symbol> symbols;
  std::string space, pending;
  for (std::string line; std::getline(text, line);) {
    std::smatch match;
    if (std::regex_search(line, match, opening)) space = match[1];
    if (line.find("// an annotation") != std::string::npos) continue;
    line = pending + line;  // a long name stands on the line after its constant
    pending = line.ends_with('=') ? line : "";
    if (std::regex_search(line, match, constant)) symbols.push_back({space, match[1], match[2]});
  }
  return symbols;
}

bool IsType(const std::string& key) {
  const TVMFFIByteArray bytes{key.data(), key.size()};
  int32_t index = 0;
  return TVMFFITypeKeyToIndex(&bytes, &index) == 0;
}

bool IsOperator(const std::string& name) {
  return Guard("", [&] { return Call(global::kGetOp, name); }).ok();
}

// How many arguments a global function takes, by its registered signature; -1 where it is packed.
int ArgumentsOf(const char* function) {
  const auto metadata =
      Guard("", [&] { return Call("ffi.GetGlobalFuncMetadata", function).Text(); });
  if (!metadata.ok()) return -1;
  const auto outer = ParseJson(metadata.value(), function);
  if (!outer.ok() || !outer.value().contains("type_schema")) return -1;
  const auto schema = ParseJson(outer.value().at("type_schema").get<std::string>(), function);
  if (!schema.ok() || !schema.value().contains("args")) return -1;
  return static_cast<int>(schema.value().at("args").size()) - 1;
}

class SymbolsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(LoadCompiler().ok()); }
};

TEST_F(SymbolsTest, ListIsWhole) {
  std::map<std::string, int> count;
  for (const Symbol& symbol : ReadSymbols()) ++count[symbol.space];
  EXPECT_GE(count["global"], 40);
  EXPECT_GE(count["prim"], 18);
  EXPECT_GE(count["type"], 25);
  EXPECT_GE(count["op"], 6);
  EXPECT_GE(count["make"], 4);
  for (const auto& [space, number] : count)
    EXPECT_TRUE(
        (std::set<std::string>{"global", "prim", "type", "op", "make", "intrinsic", "primitive"})
            .contains(space))
        << "say here how the names of namespace " << space << " are looked up";
}

TEST_F(SymbolsTest, EveryNameExists) {
  std::string missing;
  for (const Symbol& symbol : ReadSymbols()) {
    bool found = true;
    if (symbol.space == "type" || symbol.space == "prim") found = IsType(symbol.name);
    if (symbol.space == "op" || symbol.space == "intrinsic") found = IsOperator(symbol.name);
    if (symbol.space != "type" && symbol.space != "op" && symbol.space != "intrinsic")
      found = found && HasGlobal(symbol.name.c_str());
    if (!found) missing += "\n  " + symbol.space + "::" + symbol.constant + " = " + symbol.name;
  }
  EXPECT_EQ(missing, "") << "this TVM does not have:" << missing;
}

TEST_F(SymbolsTest, EveryPassExists) {
  for (const LoweringPass& pass : kLoweringPasses) EXPECT_TRUE(HasGlobal(pass.name)) << pass.name;
  for (const char* pass : kFinishingPasses) EXPECT_TRUE(HasGlobal(pass)) << pass;
  EXPECT_TRUE(HasGlobal(kToNonDataflow));
}

TEST_F(SymbolsTest, EveryGpuNameExists) {
  for (const LoweringPass& pass : kGpuLoweringPasses)
    EXPECT_TRUE(HasGlobal(pass.name)) << pass.name;
  for (const char* pass : kGpuPackingPasses) EXPECT_TRUE(HasGlobal(pass)) << pass;
  for (const char* pass : kGpuHostPasses) EXPECT_TRUE(HasGlobal(pass)) << pass;
  for (const char* pass : kGpuDevicePasses) EXPECT_TRUE(HasGlobal(pass)) << pass;
  for (const char* name : {gpu::kApplyTrace, gpu::kBind, gpu::kAddUnitLoop, gpu::kIterationType,
                           gpu::kBuildOpenCl, gpu::kBuildCuda, gpu::kImportModule,
                           gpu::kInspectSource, gpu::kPackImports, gpu::kTupleType})
    EXPECT_TRUE(HasGlobal(name)) << name;
  EXPECT_TRUE(IsOperator(gpu::kFuncCall));
}

TEST_F(SymbolsTest, AbsentNamesAreNoticed) {
  EXPECT_FALSE(IsType("prim.NoSuchNode"));
  EXPECT_FALSE(IsOperator("relax.no_such_operator"));
  EXPECT_FALSE(HasGlobal("ir.NoSuchFunction"));
}

// WithFields relies on fields and on their number: one argument each, and the span.
TEST_F(SymbolsTest, ConstructorsTakeTheirFields) {
  for (const Constructor& constructor : kConstructors) {
    int32_t index = 0;
    const std::string key = constructor.type_key;
    const TVMFFIByteArray bytes{key.data(), key.size()};
    ASSERT_EQ(TVMFFITypeKeyToIndex(&bytes, &index), 0) << key;
    std::set<std::string> fields;
    tvm::ffi::reflection::ForEachFieldInfo(
        TVMFFIGetTypeInfo(index),
        [&](const TVMFFIFieldInfo* field) { fields.emplace(field->name.data, field->name.size); });
    int arguments = 1;
    for (const char* field : constructor.fields) {
      if (field == nullptr) break;
      EXPECT_TRUE(fields.contains(field)) << key << " has no field " << field;
      ++arguments;
    }
    const int taken = ArgumentsOf(constructor.function);
    EXPECT_TRUE(taken == arguments || taken == -1) << constructor.function << " takes " << taken;
  }
  EXPECT_EQ(ArgumentsOf(global::kBufferStore), 4) << "signatures can no longer be read";
}

}  // namespace
}  // namespace mutatenn
