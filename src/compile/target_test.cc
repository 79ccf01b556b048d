#include "compile/target.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace mutatenn {
namespace {

TEST(Target, HostIsSpelledOut) {
  auto target = ResolveTarget(R"({"kind": "llvm", "mcpu": "host"})");
  ASSERT_TRUE(target.ok()) << target.error().message;
  auto json = ParseJson(target->canonical, "target");
  EXPECT_NE((*json)["mcpu"], "host");
  EXPECT_FALSE((*json)["mattr"].empty());
}

TEST(Target, SpellingDoesNotMatter) {
  auto a = ResolveTarget(R"({"kind": "llvm", "mcpu": "x86-64"})");
  auto b = ResolveTarget(R"({ "mcpu":"x86-64","kind":"llvm" })");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->canonical, b->canonical);
}

TEST(Target, AnAcceleratorStandsBesideAHost) {
  for (const char* text : {"opencl", "\"opencl\"", R"({"kind": "opencl"})",
                           R"({"kind": "opencl", "host": {"kind": "llvm"}})"}) {
    auto target = ResolveTarget(text);
    ASSERT_TRUE(target.ok()) << text << ": " << target.error().message;
    EXPECT_TRUE(target->accelerator());
    EXPECT_EQ(target->canonical, R"({"host":{"kind":"llvm"},"kind":"opencl"})");
    EXPECT_EQ(target->ForWeights().kind, "llvm");
  }
  auto cuda = ResolveTarget("cuda");
  ASSERT_TRUE(cuda.ok()) << cuda.error().message;
  EXPECT_NE(cuda->canonical.find("sm_75"), std::string::npos);
  EXPECT_FALSE(ResolveTarget(R"({"kind": "opencl", "host": "cuda"})").ok());
}

TEST(Target, WhatTvmOrLlvmDoNotKnowIsRefused) {
  struct Case {
    const char* text;
    Code code;
    const char* remedy;
  };
  for (const Case& c :
       {Case{R"({"kind": "llvm", "mcpu": "native"})", Code::kInvalidInput, "say \"host\""},
        Case{R"({"kind": "llvm", "mcpu": "z80"})", Code::kInvalidInput, "x86-64"},
        Case{R"({"kind": "llvm", "speed": 9})", Code::kInvalidInput, "TVM refuses it"},
        Case{R"({"mcpu": "x86-64"})", Code::kInvalidInput, "'kind' is missing"},
        Case{R"({"kind": "abacus"})", Code::kUnsupported, "llvm"}}) {
    auto target = ResolveTarget(c.text);
    ASSERT_FALSE(target.ok()) << c.text;
    EXPECT_EQ(target.error().code, c.code) << c.text;
    EXPECT_NE(target.error().message.find(c.remedy), std::string::npos) << target.error().message;
  }
}

}  // namespace
}  // namespace mutatenn
