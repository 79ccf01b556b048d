#include "base/json.h"

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

TEST(Json, CommentsAreAllowed) {
  auto json = ParseJson("{ // why\n \"a\": 1 }", "f.json");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["a"], 1);
}

TEST(Json, ErrorsNameTheSource) {
  for (const char* text : {"{", "{\"a\": 1e999}", "", "{\"a\" 1}"}) {
    auto json = ParseJson(text, "f.json");
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_EQ(json.error().code, Code::kInvalidInput);
    EXPECT_EQ(json.error().message.find("f.json: not valid JSON: "), 0u) << json.error().message;
    EXPECT_EQ(json.error().message.find('\n'), std::string::npos);
  }
}

TEST(Json, InvalidUtf8IsReplacedNotThrown) {
  EXPECT_EQ(DumpJson(Json{{"a", "\xff"}}), "{\"a\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace mutatenn
