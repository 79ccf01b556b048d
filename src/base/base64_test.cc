// The vectors of RFC 4648, every byte there and back, and what is refused.
#include "base/base64.h"

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

TEST(Base64, AsTheStandardHasIt) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(ToBase64(bytes), text);
    ASSERT_TRUE(FromBase64(text).ok()) << text;
    EXPECT_EQ(FromBase64(text).value(), bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(FromBase64(ToBase64(all)).value(), all);
}

TEST(Base64, RefusesWhatItDoesNotWrite) {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zg==Zm9v", "Zm=v", "Zm9\n", "Zm-v"})
    EXPECT_FALSE(FromBase64(text).ok()) << text;
}

}  // namespace
}  // namespace mutatenn
