#include "base/nearest.h"

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

TEST(Nearest, IsTheNearestOrNone) {
  EXPECT_EQ(Nearest("devces", {"devices", "models"}), "devices");
  EXPECT_EQ(Nearest("x", {"devices", "models"}), "");
  EXPECT_EQ(Nearest("abc", {"xyz"}), "");
}

}  // namespace
}  // namespace mutatenn
