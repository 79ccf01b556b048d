// Loads the examples and runs kernels: lower, LLVM, ld, load, call.
#include "mutation/example_test.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <sstream>

#include "base/files.h"
#include "program/program.h"
#include "tvm/passes.h"
#include "tvm/relax.h"
#include "tvm/runtime.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

Json ReadExample(const std::string& name) {
  CHECK(LoadCompiler().ok());
  // What TVM's Python package would have registered.
  for (const std::string& op : std::vector<std::string>{wait::kGroup, wait::kAll}) {
    if (Guard("", [&] { return Call(global::kGetOp, op); }).ok()) continue;
    constexpr int kLevel = 10, kUpdatesState = 3;
    Call("ir.RegisterOp", op, "");
    Call("ir.RegisterOpAttr", op, "TCallEffectKind", kUpdatesState, kLevel);
    Call("ir.RegisterOpAttr", op, "TScriptPrinterName", op.substr(op.find('.') + 1), kLevel);
  }
  const auto text = ReadFile(SourceFolder() / "tests/examples" / (name + ".json"));
  CHECK(text.ok(), text.error().message);
  return ParseJson(text.value(), name).value();
}

Node ExampleFunction() { return FromJsonText(ReadExample("layers").at("graph").dump()); }

Node BuildModule(const Node& function) {
  const Node target = Call(global::kGetTarget, R"({"kind":"llvm"})");
  const Node with_host = Call(global::kWithHost, target, target);
  Node named = WithAttribute(function, "global_symbol", kKernelSymbol);
  named = WithAttribute(named, "target", with_host);
  Node module = MakeModule({{kKernelSymbol, named}});
  for (const LoweringPass& pass : kLoweringPasses)
    module = RunPass(pass.has_argument ? Call(pass.name, pass.argument) : Call(pass.name), module);
  module = RunPass(Call("tirx.transform.MakePackedAPI"), module);
  for (const char* pass : kFinishingPasses) module = RunPass(Call(pass), module);
  return Call(global::kBuildLlvm, module, with_host);
}

class AlignedCopy {
 public:
  explicit AlignedCopy(const TestTensor& tensor) : tensor_(tensor) {
    for (const int64_t extent : tensor.shape) bytes_ *= extent;
    const size_t slack = 4 * tensor.slack;
    room_ = (std::max<size_t>(slack, 4 * kSlack) + 63) / 64 * 64;
    memory_.resize(bytes_ + 2 * room_ + 64);
    void* aligned = memory_.data();
    size_t space = memory_.size();
    begin_ = static_cast<char*>(std::align(64, bytes_ + 2 * room_, aligned, space));
    std::memcpy(data() - slack, static_cast<char*>(tensor.data) - slack, bytes_ + 2 * slack);
  }
  char* data() { return begin_ + room_; }
  void CopyBack() { std::memcpy(tensor_.data, data(), bytes_); }

 private:
  TestTensor tensor_;
  size_t bytes_ = 4, room_ = 0;
  std::vector<char> memory_;
  char* begin_ = nullptr;
};

Applied ForOperator(const std::string& id, const Json& parameters) {
  Applied applied;
  applied.op = FindOperator(id);
  CHECK(applied.op != nullptr, id);
  applied.parameters = CheckParameters(*applied.op, parameters).value();
  return applied;
}

}  // namespace

std::filesystem::path SourceFolder() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
}

std::vector<KernelSubject> ExampleKernels(const std::string& name) {
  std::vector<KernelSubject> kernels;
  const Json example = ReadExample(name);
  for (const Json& entry : example.at("kernels")) {
    kernels.push_back({entry.at("key"), entry.at("role"),
                       entry.at("layers").get<std::vector<std::string>>(),
                       FromJsonText(entry.at("function").dump())});
    BuildSettings settings;
    settings.target = {{"kind", "llvm"}, {"mcpu", "haswell"}, {"mattr", {"+avx2", "+fma"}}};
    settings.lanes = 8;
    std::istringstream words(entry.at("role").get<std::string>());
    for (std::string word; std::getline(words, word, '_');) settings.calls.push_back(word);
    settings.steps = {settings.calls.size()};
    settings.passes.assign(std::begin(kLoweringPasses), std::end(kLoweringPasses));
    kernels.back().settings = {settings};
  }
  return kernels;
}

Graph ExampleGraph(const std::string& name) {
  const Json example = ReadExample(name);
  const auto view = relax::View(FromJsonText(example.at("graph").dump()));
  const auto synthetic = example.at("synthetic").get<std::set<std::string>>();
  Graph graph;
  graph.parameters = view.parameters;
  graph.num_inputs = example.at("num_inputs");
  for (const relax::Binding& binding : view.bindings) {
    const std::string variable = binding.variable["name"].Text();
    graph.bindings.push_back({binding.variable, binding.value, variable,
                              example.at("layers").at(variable), synthetic.contains(variable)});
  }
  graph.output = view.output;
  // Of every weight: 1, 1.25, 1.5 and so on.
  graph.weights = [parameters = graph.parameters](const std::string& name) -> Result<std::string> {
    std::vector<float> values;
    for (const Node& parameter : parameters) {
      if (parameter["name"].Text() != name) continue;
      const relax::Tensor type = relax::TensorsOf(parameter["ty"])[0];
      int64_t count = 1;
      for (const int64_t extent : type.shape) count *= extent;
      for (int64_t i = 0; i < count; ++i) values.push_back(1 + 0.25f * static_cast<float>(i));
    }
    return std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size());
  };
  return graph;
}

Node FunctionOfGraph(const Graph& graph) {
  std::vector<Node> bindings;
  for (const GraphBinding& binding : graph.bindings)
    bindings.push_back(Make(global::kVarBinding, binding.variable, binding.value));
  const Node block = Make(global::kDataflowBlock, Node(bindings));
  const Node body = Make(global::kSeqExpr, Node({block}), graph.output);
  const Node function =
      WithFields(ExampleFunction(), {{"params", Node(graph.parameters)}, {"body", body}});
  const Node module = RunPass(Call("relax.transform.Normalize"), MakeModule({{"main", function}}));
  return FunctionOf(module, "main");
}

void RunKernel(const Node& function, const std::vector<TestTensor>& arguments) {
  ASSERT_TRUE(function.defined());
  static int number = 0;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("mutatenn_mutation_test_" + std::to_string(::getpid()));
  ASSERT_TRUE(MakeDirectories(folder).ok());
  const std::string path = folder / ("k" + std::to_string(number++));
  const auto built = Guard("building", [&] {
    Call(global::kWriteModule, BuildModule(function), path + ".o", "o");
    return Unit{};
  });
  ASSERT_TRUE(built.ok()) << built.error().message;
  ASSERT_EQ(std::system(("ld -shared -o " + path + ".so " + path + ".o").c_str()), 0);
  const auto kernel = LoadKernel(path + ".so", kKernelSymbol);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(kernel.ok()) << kernel.error().message;
  // Kernels take their tensors to be aligned to 64 bytes: they work on copies that are.
  std::vector<std::unique_ptr<AlignedCopy>> copies;
  std::vector<TensorView> views;
  for (const TestTensor& argument : arguments) {
    copies.push_back(std::make_unique<AlignedCopy>(argument));
    views.push_back({copies.back()->data(), ParseDType(argument.dtype).value(), argument.shape});
  }
  const auto called = kernel.value().Call(views);
  ASSERT_TRUE(called.ok()) << called.error().message;
  for (const auto& copy : copies) copy->CopyBack();
}

Applied PointsInKernels(const std::string& id, const Json& parameters) {
  Applied applied = ForOperator(id, parameters);
  const auto points =
      EnumerateKernels(*applied.op, applied.parameters, ExampleKernels(applied.op->example));
  CHECK(points.ok(), points.error().message);
  applied.points = points.value();
  return applied;
}

Applied PointsInGraph(const std::string& id, const Json& parameters) {
  Applied applied = ForOperator(id, parameters);
  const auto points =
      EnumerateGraph(*applied.op, applied.parameters, ExampleGraph(applied.op->example));
  CHECK(points.ok(), points.error().message);
  applied.points = points.value();
  return applied;
}

MutationPoint PointAt(const Applied& applied, const std::string& block, int match) {
  for (const MutationPoint& point : applied.points)
    if (point.block == block && point.match == match) return point;
  ADD_FAILURE() << applied.op->id << " has no point " << match << " in block " << block;
  return {};
}

}  // namespace mutatenn
