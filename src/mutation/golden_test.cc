// Every registered operator against tests/operators/<id>.golden: the IR diff at every point of its
// example. A golden opens with lines written by hand, which an update keeps:
//   # must not match: LINE     a line of the example that no point may change (at least one)
//   # parameters: JSON         one more section, with these parameters instead of the defaults
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <sstream>

#include "base/files.h"
#include "mutation/example_test.h"
#include "mutation/operator_docs.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kMustNotMatch = "# must not match: ";
constexpr const char* kParameters = "# parameters: ";
constexpr const char* kUpdate = "; after a look at the difference, run tools/update-goldens";

std::string Trim(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Lines that differ, by the longest common subsequence: "- old", "+ new".
std::vector<std::string> Diff(const std::vector<std::string>& a,
                              const std::vector<std::string>& b) {
  std::vector<std::vector<int>> common(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] =
          a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::vector<std::string> diff;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      diff.push_back("- " + Trim(a[i++]));
    } else {
      diff.push_back("+ " + Trim(b[j++]));
    }
  }
  return diff;
}

// Of a constant that stands where a weight stood: "+ w1[5]: 2.25 -> -2.25" for each that changed.
std::vector<std::string> ChangedWeights(const Graph& before, const Graph& after) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < before.bindings.size(); ++i) {
    const Node &old = before.bindings[i].value, &now = after.bindings[i].value;
    if (now.Same(old) || !now.Is(type::kCall)) continue;
    const std::vector<Node> arguments = now["args"].Items();
    for (size_t a = 0; a < arguments.size(); ++a) {
      if (!relax::IsConstant(arguments[a]) || !relax::IsVariable(old["args"].At(a))) continue;
      const std::string name = old["args"].At(a)["name"].Text();
      const std::string weights = before.weights(name).value();
      const std::string constant = relax::TensorBytes(arguments[a]);
      for (size_t at = 0; at + sizeof(float) <= weights.size(); at += sizeof(float)) {
        float from = 0, to = 0;
        std::memcpy(&from, weights.data() + at, sizeof(from));
        std::memcpy(&to, constant.data() + at, sizeof(to));
        std::ostringstream line;
        line << "+ " << name << "[" << at / sizeof(float) << "]: " << from << " -> " << to;
        if (from != to) lines.push_back(line.str());
      }
    }
  }
  return lines;
}

struct Section {
  std::string text;
  std::vector<std::string> original;  // trimmed lines of the example
  std::set<std::string> changed;      // those that a point changes
  size_t points = 0;
};

// The example's part that a point is in, before and after the point was applied.
std::pair<std::string, std::string> BeforeAndAfter(const MutationOperator& op,
                                                   const Json& parameters,
                                                   const MutationPoint& point) {
  if (op.level() == Level::kGraph) {
    const Graph graph = ExampleGraph(op.example);
    const auto mutated = ApplyToGraph(op, parameters, graph, {point});
    CHECK(mutated.ok(), mutated.error().message);
    return {Script(FunctionOfGraph(graph)), Script(FunctionOfGraph(mutated.value()))};
  }
  for (const KernelSubject& kernel : ExampleKernels(op.example)) {
    if (kernel.key != point.kernel) continue;
    if (op.level() == Level::kBuild) {
      const BuildSettings& settings = kernel.settings.at(0);
      return {TextOf(settings), TextOf(ApplyToSettings(op, parameters, settings, point).value())};
    }
    const auto mutated = ApplyToKernel(op, parameters, kernel, kernel.function, {point});
    CHECK(mutated.ok(), mutated.error().message);
    return {Script(kernel.function), Script(mutated.value())};
  }
  CHECK(false, point.kernel);
}

Section MakeSection(const MutationOperator& op, const Json& given) {
  const bool graph = op.level() == Level::kGraph;
  const Applied applied = graph ? PointsInGraph(op.id, given) : PointsInKernels(op.id, given);
  Section section;
  section.points = applied.points.size();
  if (graph) {
    section.original = Lines(Script(FunctionOfGraph(ExampleGraph(op.example))));
  } else {
    for (const KernelSubject& kernel : ExampleKernels(op.example))
      for (std::string& line : Lines(op.level() == Level::kBuild ? TextOf(kernel.settings.at(0))
                                                                 : Script(kernel.function)))
        section.original.push_back(line);
  }
  for (std::string& line : section.original) line = Trim(line);
  section.text = "\n=== parameters " + DumpJson(applied.parameters) + "\n";
  for (const MutationPoint& point : applied.points) {
    section.text += "\n" + DumpJson(point.ToJson()) + "\n";
    const auto [before, after] = BeforeAndAfter(op, applied.parameters, point);
    for (const std::string& line : Diff(Lines(before), Lines(after))) {
      section.text += line + "\n";
      if (line.starts_with("- ")) section.changed.insert(line.substr(2));
    }
    if (op.category != "weights") continue;
    const Graph example = ExampleGraph(op.example);
    auto mutated = ApplyToGraph(op, applied.parameters, example, {point});
    CHECK(mutated.ok(), mutated.error().message);
    for (const std::string& line : ChangedWeights(example, *mutated)) section.text += line + "\n";
  }
  return section;
}

class Golden : public testing::TestWithParam<const MutationOperator*> {};

TEST_P(Golden, IsAsRecorded) {
  const MutationOperator& op = *GetParam();
  const auto path = SourceFolder() / "tests/operators" / (op.id + ".golden");
  const auto recorded = ReadFile(path);
  std::string header, expected;
  std::vector<Json> parameters = {Json::object()};
  std::vector<std::string> untouched;
  for (const std::string& line : Lines(recorded.ok() ? recorded.value() : "")) {
    if (!line.starts_with("# ")) break;
    header += line + "\n";
    if (line.starts_with(kMustNotMatch))
      untouched.push_back(line.substr(std::string(kMustNotMatch).size()));
    if (line.starts_with(kParameters))
      parameters.push_back(ParseJson(line.substr(std::string(kParameters).size()), path).value());
  }
  expected = header;
  for (const Json& given : parameters) {
    const Section section = MakeSection(op, given);
    EXPECT_GT(section.points, 0u) << "the example '" << op.example << "' has no point for "
                                  << given;
    expected += section.text;
    for (const std::string& line : untouched) {
      EXPECT_TRUE(std::count(section.original.begin(), section.original.end(), line))
          << "no line of the example is: " << line;
      EXPECT_FALSE(section.changed.contains(line)) << "a point changes: " << line;
    }
  }
  if (std::getenv("MUTATENN_UPDATE_GOLDENS") != nullptr) {
    ASSERT_TRUE(WriteFile(path, expected).ok());
    return;
  }
  ASSERT_TRUE(recorded.ok()) << recorded.error().message
                             << "; to make it, run tools/update-goldens";
  EXPECT_FALSE(untouched.empty()) << "write a first line into " << path << ": '" << kMustNotMatch
                                  << "...', a line of the example that must stay as it is";
  EXPECT_EQ(recorded.value(), expected) << path << " is out of date" << kUpdate;
}

INSTANTIATE_TEST_SUITE_P(Operators, Golden, testing::ValuesIn(AllOperators()),
                         [](const auto& info) {
                           std::string name = info.param->id;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

// One file an operator, named like it; and nothing registered twice or left out by the linker.
TEST(Registry, HasEveryOperatorFile) {
  std::set<std::string> files, ids;
  for (const char* level : {"graph", "code", "lowered", "build"}) {
    const auto folder = SourceFolder() / "src/mutation" / level;
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string stem = entry.path().stem();
      if (entry.path().extension() == ".cc" && !stem.ends_with("_test"))
        files.insert(std::string(level) + "." + stem);
    }
  }
  for (const MutationOperator* op : AllOperators()) {
    EXPECT_TRUE(ids.insert(op->id).second);
    if (op->at_level_lowered) files.insert("lowered" + op->id.substr(op->id.find('.')));
  }
  EXPECT_EQ(ids, files);
  EXPECT_GE(files.size(), 8u);
}

TEST(Registry, HasNoGoldenWithoutOperator) {
  for (const auto& entry :
       std::filesystem::directory_iterator(SourceFolder() / "tests/operators")) {
    if (entry.path().extension() != ".golden") continue;
    EXPECT_NE(FindOperator(entry.path().stem()), nullptr) << entry.path();
  }
}

TEST(Docs, OperatorsPageIsTheRegistry) {
  const auto path = SourceFolder() / "docs/operators.md";
  const std::string expected = OperatorsMarkdown(SourceFolder() / "tests/operators");
  for (const MutationOperator* op : AllOperators()) {
    const size_t section = expected.find("\n## " + op->id + "\n");
    EXPECT_LT(expected.find("```diff", section), expected.find("\n## ", section + 1))
        << op->id << " has no excerpt";
  }
  if (std::getenv("MUTATENN_UPDATE_GOLDENS") != nullptr) {
    ASSERT_TRUE(WriteFile(path, expected).ok());
  }
  const auto page = ReadFile(path);
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(page.value(), expected) << path << " is out of date; run tools/update-docs";
}

}  // namespace
}  // namespace mutatenn
