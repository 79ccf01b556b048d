// Every graph operator, run: TVM's own Python pipeline evaluates the example mutated at each point,
// and the mutated network is written out in plain C++ here. Tolerance: 1e-5 absolute plus 1e-5 of
// the value (float32 sums of up to 18 terms of size 1).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

#include "base/files.h"
#include "base/process.h"
#include "mutation/example_test.h"

namespace mutatenn {
namespace {

// Planes of channels x extent x extent, or one row.
using Values = std::vector<double>;
using Scalar = std::function<double(double)>;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Values Each(Values values, const Scalar& f) {
  for (double& value : values) value = f(value);
  return values;
}
Values Transposed(const Values& planes, int extent) {
  Values result(planes.size());
  const int plane = extent * extent;
  for (size_t i = 0; i < planes.size(); ++i) {
    const int base = static_cast<int>(i) / plane * plane, row = (i % plane) / extent,
              column = i % extent;
    result[base + column * extent + row] = planes[i];
  }
  return result;
}

// Planes of 4x4, `in` to `out` channels, kernel k x k with padding k / 2.
Values Convolution(const Values& x, const Values& w, int in, int out, int k) {
  Values y(out * 16);
  for (int f = 0; f < out; ++f)
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 4; ++c)
        for (int channel = 0; channel < in; ++channel)
          for (int i = 0; i < k; ++i)
            for (int j = 0; j < k; ++j) {
              const int row = r + i - k / 2, column = c + j - k / 2;
              if (row < 0 || row >= 4 || column < 0 || column >= 4) continue;
              y[f * 16 + r * 4 + c] +=
                  x[channel * 16 + row * 4 + column] * w[((f * in + channel) * k + i) * k + j];
            }
  return y;
}

// What each place of the network does; a mutant replaces one of them.
struct Network {
  std::map<std::string, std::function<Values(const Values&)>>
      before;  // "Conv_0 0": argument 0 of Conv_0
  Scalar relu = [](double x) { return std::max(x, 0.0); };
  Scalar relu6 = [](double x) { return std::min(std::max(x, 0.0), 6.0); };
  double sign = 1;  // of the residual's second operand

  Values In(const std::string& place, const Values& values) const {
    const auto found = before.find(place);
    return found == before.end() ? values : found->second(values);
  }

  // The arguments of tests/examples/layers.json in order: x w1 b1 gamma beta mean var w2 w3 b3
  // mask.
  Values Run(const std::vector<Values>& a) const {
    Values conv = Convolution(In("Conv_0 0", a[0]), In("Conv_0 1", a[1]), 2, 3, 3);
    for (int i = 0; i < 48; ++i) conv[i] += a[2][i / 16];
    const Values data = In("BatchNormalization_1 0", conv);
    const Values gamma = In("BatchNormalization_1 1", a[3]);
    Values norm(48);
    for (int i = 0; i < 48; ++i) {
      const int c = i / 16;
      norm[i] = (data[i] - a[5][c]) / std::sqrt(a[6][c] + 1e-5) * gamma[c] + a[4][c];
    }
    const Values activated = Each(norm, relu);
    const Values point =
        Each(Convolution(In("Conv_3 0", activated), In("Conv_3 1", a[7]), 3, 3, 1), relu6);
    Values pooled(3);
    for (int i = 0; i < 48; ++i)
      pooled[i / 16] +=
          (activated[i] + sign * std::min(std::max(point[i], -1.0), 1.0)) * a[10][i % 16] / 16;
    const Values row = In("Gemm_8 0", pooled), weight = In("Gemm_8 1", a[8]);
    Values dense = a[9];
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) dense[j] += row[i] * weight[i * 3 + j];
    return dense;
  }
};

struct Case {
  std::string name;
  Network expected;
  Node function;
};

// The mutants of one operator use, each with the network that its layer says it is.
void AddCases(const std::string& id, const Json& parameters,
              const std::function<void(const std::string& layer, Network*)>& change,
              std::vector<Case>* cases) {
  const Applied applied = PointsInGraph(id, parameters);
  for (const MutationPoint& point : applied.points) {
    const auto mutated = ApplyToGraph(*applied.op, applied.parameters, ExampleGraph(), {point});
    ASSERT_TRUE(mutated.ok()) << mutated.error().message;
    Case mutant{id + " " + DumpJson(applied.parameters) + " " + point.layers[0],
                {},
                FunctionOfGraph(mutated.value())};
    change(point.layers[0], &mutant.expected);
    cases->push_back(std::move(mutant));
  }
}

std::vector<Case> AllCases() {
  std::vector<Case> cases = {{"original", {}, FunctionOfGraph(ExampleGraph())}};
  AddCases(
      "graph.activation", {{"to", {"sigmoid"}}},
      [](const std::string& layer, Network* network) {
        (layer == "Relu_2" ? network->relu : network->relu6) = Sigmoid;
      },
      &cases);
  AddCases(
      "graph.arithmetic", {{"from", {"add"}}, {"to", {"subtract"}}},
      [](const std::string&, Network* network) { network->sign = -1; }, &cases);
  for (const int arg : {0, 1}) {
    const auto parameters = [arg](const char* operation) -> Json {
      return {
          {"operation", operation}, {"functions", {"conv2d", "dense", "batch_norm"}}, {"arg", arg}};
    };
    const auto place = [arg](const std::string& layer) {
      return layer + " " + std::to_string(arg);
    };
    AddCases(
        "graph.insert_operation", parameters("exp"),
        [&](const std::string& layer, Network* network) {
          network->before[place(layer)] = [](const Values& v) {
            return Each(v, [](double x) { return std::exp(x); });
          };
        },
        &cases);
    AddCases(
        "graph.insert_operation", parameters("transpose"),
        [&](const std::string& layer, Network* network) {
          const int extent = arg == 0 ? 4 : 3;
          network->before[place(layer)] = [extent](const Values& v) {
            return Transposed(v, extent);
          };
        },
        &cases);
  }
  return cases;
}

// Deterministic, different at each place, not symmetric; variances above 0.
std::vector<Values> Arguments(const std::vector<std::vector<int64_t>>& shapes) {
  std::vector<Values> arguments;
  unsigned state = 1;
  for (const auto& shape : shapes) {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    Values values(count);
    for (double& value : values) {
      state = state * 1664525u + 1013904223u;
      value =
          static_cast<float>((state >> 8) / double(1 << 24) - (arguments.size() == 6 ? 0 : 0.4));
    }
    if (arguments.size() == 6) values = Each(values, [](double x) { return x + 0.5; });
    arguments.push_back(values);
  }
  return arguments;
}

TEST(GraphExecution, MutantsComputeWhatTheyShould) {
  const std::vector<std::vector<int64_t>> shapes = {
      {1, 2, 4, 4}, {3, 2, 3, 3}, {1, 3, 1, 1}, {3}, {3},         {3},
      {3},          {3, 3, 1, 1}, {3, 3},       {3}, {1, 1, 4, 4}};
  const std::vector<Values> arguments = Arguments(shapes);
  const std::vector<Case> cases = AllCases();
  // The original; two activations; an addition; exp before 4 functions, a square plane before 3,
  // each of data and weights (2 of these square).
  ASSERT_EQ(cases.size(), 1u + 2 + 1 + (4 + 3) + (4 + 2));

  Json request = {{"functions", Json::array()}, {"inputs", Json::array()}};
  for (const Case& mutant : cases)
    request["functions"].push_back(Json::parse(ToJsonText(mutant.function)));
  for (size_t i = 0; i < shapes.size(); ++i)
    request["inputs"].push_back({{"shape", shapes[i]}, {"data", arguments[i]}});
  const auto folder =
      std::filesystem::temp_directory_path() / ("mutatenn_graphs_" + std::to_string(::getpid()));
  ASSERT_TRUE(MakeDirectories(folder).ok());
  ASSERT_TRUE(WriteFile(folder / "request.json", DumpJson(request)).ok());
  const char* python = std::getenv("MUTATENN_PYTHON");
  const std::string interpreter =
      python != nullptr ? python : (SourceFolder() / ".venv/bin/python").string();
  auto process =
      Process::Start({.command = {interpreter, SourceFolder() / "tests/operators/run_graphs.py",
                                  folder / "request.json", folder / "answer.json"},
                      .socket = false});
  ASSERT_TRUE(process.ok()) << process.error().message;
  const auto status = process.value()->Wait(300);
  ASSERT_TRUE(status.ok()) << status.error().message;
  ASSERT_EQ(status.value(), 0) << process.value()->LastOutput();
  const Json answer = ParseJson(ReadFile(folder / "answer.json").value(), "answer.json").value();
  std::filesystem::remove_all(folder);

  const Values original = cases[0].expected.Run(arguments);
  for (size_t i = 0; i < cases.size(); ++i) {
    const Values expected = cases[i].expected.Run(arguments);
    const Values actual = answer.at(i).get<Values>();
    ASSERT_EQ(actual.size(), expected.size()) << cases[i].name;
    double from_original = 0;
    for (size_t j = 0; j < expected.size(); ++j) {
      EXPECT_NEAR(actual[j], expected[j], 1e-5 + 1e-5 * std::abs(expected[j]))
          << cases[i].name << " " << j;
      from_original = std::max(from_original, std::abs(expected[j] - original[j]));
    }
    if (i == 0) continue;
    EXPECT_GT(from_original, 1e-4) << cases[i].name << " is not told from the original";
  }
}

}  // namespace
}  // namespace mutatenn
