// Functions of tests/examples/accesses.json, whose names say what their accesses rest on.
#include "compile/fixed_accesses.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace {

TEST(FixedAccesses, RestOnNoValue) {
  ASSERT_TRUE(LoadCompiler().ok());
  const std::string file =
      std::string(std::getenv("MUTATENN_SOURCE_DIR")) + "/tests/examples/accesses.json";
  const Json functions = ParseJson(ReadFile(file).value(), file).value();
  ASSERT_EQ(functions.size(), 11u);
  for (const auto& [name, function] : functions.items()) {
    auto fixed =
        Guard(name, [&, &text = function] { return HasFixedAccesses(FromJsonText(text.dump())); });
    ASSERT_TRUE(fixed.ok()) << fixed.error().message;
    EXPECT_EQ(*fixed, name.starts_with("fixed")) << name;
  }
}

}  // namespace
}  // namespace mutatenn
