// The code operators on the example "expressions", run: every variant at a place against the same
// expression written out in C++. What a mutant reads beyond an input is 50.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "mutation/example_test.h"

namespace mutatenn {
namespace {

constexpr float kBeyond = 50, kUnwritten = -7;
constexpr float kX[8] = {0.25, 1, 2.25, 4, 6.25, 9, 16, 0}, kY[8] = {1, 2, 0, 1, 3, 2, 1, 2};

using Values = std::vector<float>;
struct Outputs {
  Values swish, power, ends, folded, total;
};

std::vector<Node> MutantsIn(const std::string& example, const std::string& id, const Json& given,
                            const std::string& block, int match) {
  const MutationOperator& op = *FindOperator(id);
  const auto checked = CheckParameters(op, given);
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  std::vector<Node> mutants;
  for (const KernelSubject& kernel : ExampleKernels(example)) {
    const auto points = EnumerateKernels(op, checked.value(), {kernel});
    EXPECT_TRUE(points.ok()) << points.error().message;
    for (const MutationPoint& point : points.value()) {
      if (point.block != block || point.match != match) continue;
      const auto mutated = ApplyToKernel(op, checked.value(), kernel, kernel.function, {point});
      EXPECT_TRUE(mutated.ok()) << mutated.error().message;
      mutants.push_back(mutated.value());
    }
  }
  return mutants;
}

Outputs RunAll(const Node& function) {
  Values x(8 + 2 * kSlack, kBeyond), y = x;
  std::copy(std::begin(kX), std::end(kX), x.begin() + kSlack);
  std::copy(std::begin(kY), std::end(kY), y.begin() + kSlack);
  const Values eight(8, kUnwritten);
  Outputs out = {eight, eight, eight, eight, Values(4, kUnwritten)};
  RunKernel(function, {{{8}, "float32", x.data() + kSlack, kSlack},
                       {{8}, "float32", y.data() + kSlack, kSlack},
                       {{8}, "float32", out.swish.data()},
                       {{8}, "float32", out.power.data()},
                       {{8}, "float32", out.ends.data()},
                       {{4, 2}, "float32", out.folded.data()},
                       {{4}, "float32", out.total.data()}});
  return out;
}

Values Each(const std::function<double(int)>& f, int count = 8) {
  Values values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(f(i)));
  return values;
}
Values Swish(const std::function<double(double)>& f) {
  return Each([&](int i) { return f(kX[i]); });
}
double PlainSwish(double x) { return x / (1 + std::exp(0 - x)); }
float At(const float* buffer, int i) { return 0 <= i && i < 8 ? buffer[i] : kBeyond; }

void ExpectNear(const Values& got, const Values& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const bool same = got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i]));
    EXPECT_TRUE(same || std::abs(got[i] - expected[i]) <= 2e-6f * std::abs(expected[i]) + 1e-6f)
        << what << " element " << i << ": " << got[i] << ", not " << expected[i];
  }
}

// One output of every variant against what is expected of each.
void ExpectVariants(const std::string& id, const Json& given, const std::string& block, int match,
                    Values Outputs::*output, const std::vector<Values>& expected) {
  const std::vector<Node> mutants = MutantsIn("expressions", id, given, block, match);
  ASSERT_EQ(mutants.size(), expected.size()) << id;
  for (size_t i = 0; i < mutants.size(); ++i)
    ExpectNear(RunAll(mutants[i]).*output, expected[i], id + " variant " + std::to_string(i));
}

Values Power(const std::function<double(double, double)>& f) {
  return Each([&](int i) { return f(kX[i], kY[i]); });
}
double Bounded(double x) { return std::min(std::sqrt(x), 2.0); }

TEST(CodeValues, OriginalIsWhatWeThink) {
  const Outputs out = RunAll(ExampleKernels("expressions")[0].function);
  ExpectNear(out.swish, Swish(PlainSwish), "swish");
  ExpectNear(out.power, Power([](double x, double y) { return std::pow(Bounded(x), y) * y + 0.5; }),
             "power");
  ExpectNear(out.ends, Each([](int i) { return i < 2 || i >= 6 ? kX[i] : 0; }), "ends");
  ExpectNear(out.folded, Each([](int i) { return kX[i] + kY[i / 4 + 1]; }), "folded");
  ExpectNear(out.total, Each([](int i) { return kX[2 * i] + kX[2 * i + 1]; }, 4), "total");
}

TEST(CodeValues, Intrinsic) {
  auto power = [](double (*f)(double)) {
    return Power([f](double x, double y) { return std::pow(std::min(f(x), 2.0), y) * y + 0.5; });
  };
  ExpectVariants("code.intrinsic", {{"from", {"sqrt"}}, {"to", {"exp", "fabs", "floor", "tanh"}}},
                 "raise", 0, &Outputs::power,
                 {power(std::exp), power(std::fabs), power(std::floor), power(std::tanh)});
}

TEST(CodeValues, OperandSwap) {
  // In the order of evaluation: the loads count too, and have nothing to swap.
  ExpectVariants("code.operand_swap", Json::object(), "activate", 2, &Outputs::swish,
                 {Swish([](double x) { return x / (1 + std::exp(x - 0)); })});
  ExpectVariants("code.operand_swap", Json::object(), "activate", 3, &Outputs::swish,
                 {Swish([](double x) { return (1 + std::exp(-x)) / x; })});
  ExpectVariants("code.operand_swap", Json::object(), "raise", 2, &Outputs::power,
                 {Power([](double x, double y) { return std::pow(y, Bounded(x)) * y + 0.5; })});
}

TEST(CodeValues, MinMax) {
  const auto power = [](const std::function<double(double)>& f) {
    return Power([&](double x, double y) { return std::pow(f(x), y) * y + 0.5; });
  };
  ExpectVariants("code.min_max", Json::object(), "raise", 0, &Outputs::power,
                 {power([](double x) { return std::max(std::sqrt(x), 2.0); }),
                  power([](double x) { return std::sqrt(x); }), power([](double) { return 2; })});
}

TEST(CodeValues, MultiplyAdd) {
  // a * b + c: without c, without a, without b, without the product... in the operator's order.
  const auto raised = [](double x, double y) { return std::pow(Bounded(x), y); };
  ExpectVariants(
      "code.multiply_add", Json::object(), "raise", 0, &Outputs::power,
      {Power([&](double x, double y) { return raised(x, y) * y; }),
       Power([](double, double) { return 0.5; }), Power([](double, double y) { return y + 0.5; }),
       Power([&](double x, double y) { return raised(x, y) + 0.5; })});
}

TEST(CodeValues, ArithmeticValue) {
  const auto raised = [](double x, double y) { return std::pow(Bounded(x), y); };
  ExpectVariants("code.arithmetic_value", {{"to", {"sub", "max", "div", "add"}}}, "raise", 1,
                 &Outputs::power,
                 {Power([&](double x, double y) { return raised(x, y) + y + 0.5; }),
                  Power([&](double x, double y) { return raised(x, y) / y + 0.5; }),
                  Power([&](double x, double y) { return std::max(raised(x, y), y) + 0.5; }),
                  Power([&](double x, double y) { return raised(x, y) - y + 0.5; })});
}

TEST(CodeValues, ArithmeticIndex) {
  // x[v * 2 + w]: the product's variants, then the sum's. Integer division rounds down.
  const auto folded = [](const std::function<int(int, int)>& index) {
    return Each([&](int i) { return At(kX, index(i / 2, i % 2)) + kY[i / 4 + 1]; });
  };
  ExpectVariants("code.arithmetic_index", {{"to", {"add", "floordiv", "floormod", "max", "sub"}}},
                 "fold", 0, &Outputs::folded,
                 {folded([](int v, int w) { return v + 2 + w; }),
                  folded([](int v, int w) { return v / 2 + w; }),
                  folded([](int v, int w) { return v % 2 + w; }),
                  folded([](int v, int w) { return std::max(v, 2) + w; }),
                  folded([](int v, int w) { return v - 2 + w; }),
                  folded([](int v, int w) { return std::max(v * 2, w); }),
                  folded([](int v, int w) { return v * 2 - w; })});
}

TEST(CodeValues, Constant) {
  // y[v // 2 + 1]: the divisor stays.
  const auto folded = [](int offset) {
    return Each([&](int i) { return kX[i] + At(kY, i / 4 + offset); });
  };
  ExpectVariants("code.constant", {{"to", {"zero", "plus_one", "negated", "one"}}}, "fold", 1,
                 &Outputs::folded, {folded(0), folded(2), folded(-1)});
  const auto ends = [](int bound) {
    return Each([&](int i) { return i < bound || i >= 6 ? kX[i] : 0; });
  };
  ExpectVariants("code.constant", {{"to", {"one", "halved", "doubled", "minus_one"}}}, "mark_ends",
                 0, &Outputs::ends, {ends(1), ends(-1), ends(4)});
  EXPECT_TRUE(MutantsIn("expressions", "code.constant", {{"kinds", {"float"}}}, "fold", 0).empty());
}

TEST(CodeValues, Conditions) {
  const auto ends = [](const std::function<bool(int)>& inside) {
    return Each([&](int i) { return inside(i) ? kX[i] : 0; });
  };
  ExpectVariants("code.condition", Json::object(), "mark_ends", 0, &Outputs::ends,
                 {ends([](int i) { return i >= 2 && i < 6; }), ends([](int) { return true; }),
                  ends([](int) { return false; })});
  ExpectVariants("code.and_or", Json::object(), "mark_ends", 0, &Outputs::ends,
                 {ends([](int) { return false; })});
  ExpectVariants("code.relation", {{"from", {"ge"}}}, "mark_ends", 0, &Outputs::ends,
                 {ends([](int i) { return i < 2 || i == 6; }),
                  ends([](int i) { return i < 2 || i > 6; }), ends([](int i) { return i <= 6; }),
                  ends([](int i) { return i < 6; }), ends([](int i) { return i != 6; })});
}

TEST(CodeValues, Thresholds) {
  const auto below = [](double bound) {
    return Each([&](int i) { return i < bound || i >= 6 ? kX[i] : 0; });
  };
  struct Case {
    const char *side, *operation;
    double value, bound;
  };
  for (const Case& c : {Case{"right", "plus", 1.5, 3.5}, Case{"right", "minus", 1.5, 0.5},
                        Case{"right", "times", 1.75, 3.5}, Case{"right", "percent", -60, 0.8},
                        Case{"left", "plus", 1.5, 0.5}, Case{"left", "minus", 0.5, 2.5}})
    ExpectVariants(
        "code.threshold",
        {{"relations", {"lt"}}, {"side", c.side}, {"operation", c.operation}, {"value", c.value}},
        "mark_ends", 0, &Outputs::ends, {below(c.bound)});
  // An operand that is no constant: i * 1.5 < 2 and i * 0.5 < 2.
  for (const double factor : {1.5, 0.5})
    ExpectVariants(
        "code.threshold",
        {{"relations", {"lt"}}, {"side", "left"}, {"operation", "times"}, {"value", factor}},
        "mark_ends", 0, &Outputs::ends, {below(2 / factor)});
  EXPECT_TRUE(MutantsIn("expressions", "code.threshold", {{"value", -0.5}}, "mark_ends", 0).empty())
      << "i < 1.5 is i < 2";
}

TEST(CodeValues, StoreValue) {
  const auto swish = [](const std::string& operation, double value) {
    return std::pair<Json, double>({{"operation", operation}, {"value", value}}, value);
  };
  auto check = [](const Json& given, const std::function<double(double)>& f) {
    ExpectVariants("code.store_value", given, "activate", 0, &Outputs::swish,
                   {Swish([&](double x) { return f(PlainSwish(x)); })});
  };
  check(swish("plus", 1.5).first, [](double v) { return v + 1.5; });
  check(swish("minus", 1.5).first, [](double v) { return v - 1.5; });
  check(swish("times", -3).first, [](double v) { return v * -3; });
  check(swish("constant", 2.5).first, [](double) { return 2.5; });
  check(swish("negated", 0).first, [](double v) { return -v; });
  check(swish("nan", 0).first, [](double) { return std::nan(""); });
  ExpectVariants("code.store_value", {{"value", 3}, {"stores", "init"}}, "sum", 0, &Outputs::total,
                 {Each([](int i) { return 3 + kX[2 * i] + kX[2 * i + 1]; }, 4)});
  ExpectVariants("code.store_value", {{"value", 3}, {"stores", "update"}}, "sum", 0,
                 &Outputs::total, {Each([](int i) { return 6 + kX[2 * i] + kX[2 * i + 1]; }, 4)});
  // What float32 rounds to times 1 is no point, nor is adding nothing.
  for (const Json& given : {swish("times", 1.00000001).first, swish("plus", 0).first})
    EXPECT_TRUE(MutantsIn("expressions", "code.store_value", given, "activate", 0).empty());
}

TEST(CodeValues, StoresDroppedAndMoved) {
  ExpectVariants("code.store_dropped", Json::object(), "activate", 0, &Outputs::swish,
                 {Values(8, kUnwritten)});
  ExpectVariants("code.store_dropped", Json::object(), "sum", 0, &Outputs::total, {Values(4, 0)});
  ExpectVariants("code.init_dropped", Json::object(), "sum", 0, &Outputs::total,
                 {Each([](int i) { return kUnwritten + kX[2 * i] + kX[2 * i + 1]; }, 4)});
  for (const int offset : {1, -2})
    ExpectVariants("code.store_neighbour", {{"offset", offset}}, "activate", 0, &Outputs::swish,
                   {Each([&](int i) {
                     const int from = i - offset;
                     return 0 <= from && from < 8 ? PlainSwish(kX[from]) : kUnwritten;
                   })});
  EXPECT_TRUE(MutantsIn("expressions", "code.init_dropped", Json::object(), "activate", 0).empty());
}

// The position in int16, written out for a plane of 200 by 200.
TEST(CodeValues, IndexType) {
  constexpr int kSide = 200, kElements = kSide * kSide, kReach = 40000;
  Values memory(kElements + 2 * kReach);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<float>(i % 4099);
  const float* x = memory.data() + kReach;
  const auto mutants = MutantsIn("expressions", "code.index_type", Json::object(), "transpose", 0);
  ASSERT_EQ(mutants.size(), 1u);
  Values y(kElements, kUnwritten);
  RunKernel(mutants[0], {{{kSide, kSide}, "float32", memory.data() + kReach, kReach},
                         {{kSide, kSide}, "float32", y.data()}});
  int wrapped = 0;
  for (int v = 0; v < kSide; ++v)
    for (int w = 0; w < kSide; ++w) {
      const auto position = static_cast<int16_t>(w * kSide + v);
      wrapped += position < 0;
      ASSERT_EQ(y[v * kSide + w], x[position]) << v << " " << w;
    }
  EXPECT_EQ(wrapped, kElements - 32768);
  EXPECT_TRUE(MutantsIn("expressions", "code.index_type", Json::object(), "fold", 0).empty())
      << "8 fit";
}

float RoundBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  std::memcpy(&value, &bits, 4);
  return value;
}

TEST(CodeValues, StoreTypeRounds) {
  const auto ends = [](const std::function<double(double)>& f) {
    return Each([&](int i) { return i < 2 || i >= 6 ? f(kX[i]) : 0; });
  };
  auto check = [&](const char* to, const std::function<double(double)>& f) {
    ExpectVariants("code.store_type", {{"to", to}}, "mark_ends", 0, &Outputs::ends, {ends(f)});
  };
  check("int8", [](double v) { return std::trunc(v); });
  check("int16", [](double v) { return std::trunc(v); });
  check("int32", [](double v) { return std::trunc(v); });
  check("bfloat16", [](double v) { return RoundBfloat16(static_cast<float>(v)); });
  EXPECT_TRUE(
      MutantsIn("expressions", "code.store_type", {{"to", "float64"}}, "mark_ends", 0).empty())
      << "every float32 is a float64";
}

// Beyond the type's range, through the comparisons' kernel: 2x below 0.25, x + 1 else.
TEST(CodeValues, StoreTypeSaturates) {
  Values x = {-100, 200, -20000, 40000, -2e9f, 3e9f, 0.5, 126.5};
  const std::pair<const char*, Values> cases[] = {
      {"int8", {-128, 127, -128, 127, -128, 127, 1, 127}},
      {"int16", {-200, 201, -32768, 32767, -32768, 32767, 1, 127}},
      {"int32", {-200, 201, -40000, 40001, -2147483648.0f, 2147483520.0f, 1, 127}}};
  for (const auto& [to, expected] : cases) {
    const auto mutants = MutantsIn("kernels", "code.store_type", {{"to", to}}, "choose", 0);
    ASSERT_EQ(mutants.size(), 1u);
    int32_t bound = 5;
    Values chosen(8), kept(8);
    std::vector<int32_t> late(8);
    RunKernel(mutants[0], {{{8}, "float32", x.data()},
                           {{1}, "int32", &bound},
                           {{8}, "float32", chosen.data()},
                           {{8}, "float32", kept.data()},
                           {{8}, "int32", late.data()}});
    EXPECT_EQ(chosen, expected) << to;
  }
}

template <class T>
std::vector<T> ElementsOf(const Values& values) {
  std::vector<T> elements(values.size() * sizeof(float) / sizeof(T));
  std::memcpy(elements.data(), values.data(), values.size() * sizeof(float));
  return elements;
}

TEST(CodeValues, StoreTypeReinterprets) {
  auto folded = [](const char* to, bool inside) {
    const auto mutants =
        MutantsIn("expressions", "code.store_type",
                  {{"to", to}, {"mode", "reinterpret"}, {"inside", inside}}, "fold", 0);
    EXPECT_EQ(mutants.size(), 1u);
    return RunAll(mutants.at(0)).folded;
  };
  const auto value = [](int i) { return static_cast<double>(kX[i] + kY[i / 4 + 1]); };
  const auto bytes = ElementsOf<int8_t>(folded("int8", true));
  const auto shorts = ElementsOf<int16_t>(folded("int16", true));
  const auto integers = ElementsOf<int32_t>(folded("int32", true));
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(bytes[i], std::trunc(value(i))) << i;
    EXPECT_EQ(shorts[i], std::trunc(value(i))) << i;
    EXPECT_EQ(integers[i], std::trunc(value(i))) << i;
  }
  const Values unwritten(8, kUnwritten);
  EXPECT_EQ(bytes[8], ElementsOf<int8_t>(unwritten)[8]) << "beyond the narrow elements";
  // Wider elements: two positions share one, so the second stays; or, unscaled, those that fit.
  const auto scaled = ElementsOf<double>(folded("float64", true));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(scaled[i], value(2 * i + 1)) << i;
  const auto unscaled = ElementsOf<double>(folded("float64", false));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(unscaled[i], value(i)) << i;
  EXPECT_TRUE(
      MutantsIn("expressions", "code.store_type", {{"mode", "reinterpret"}}, "sum", 1).empty())
      << "a sum may live in registers";
}

}  // namespace
}  // namespace mutatenn
