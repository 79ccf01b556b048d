// A mutant to an IRModule in TVM's JSON, or to a library: the whole network in Relax, weights as
// constants. Mutated kernels stand in it as the target runs them, scheduled or lowered; nothing is
// compiled but for a library.
#include "compile/export.h"

#include <cctype>
#include <map>
#include <set>

#include "base/files.h"
#include "compile/graph.h"
#include "compile/pipeline.h"
#include "tvm/relax.h"
#include "tvm/relax_passes.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr int kOpaque = 8;  // op_pattern: no pass fuses a kernel that is scheduled already

std::string Identifier(const std::string& text) {
  std::string name;
  for (char c : text) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0 ? "v_" + name
                                                                                : name;
}

// Programs as Relax functions of one module, which share kernels and weights.
class ModuleWriter {
 public:
  explicit ModuleWriter(std::string root) : root_(std::move(root)) {}

  // May throw. `functions`: of every kernel of the program, by key.
  Status Add(const std::string& name, const Program& program,
             const std::map<std::string, Node>& functions) {
    std::vector<Node> values(program.values.size()), parameters;
    std::vector<relax::Binding> bindings;
    const std::set<int> outputs(program.outputs.begin(), program.outputs.end());
    relax::Typer typer;
    auto type_of = [&](int value) {
      const TensorType& type = program.values[static_cast<size_t>(value)].type;
      return relax::TensorType({type.shape, type.dtype});
    };
    auto bind = [&](const std::string& as, const Node& value, bool output) {
      bindings.push_back({relax::Variable(Identifier(as), value["ty"], output), value});
      return bindings.back().variable;
    };
    for (int input : program.inputs) {
      const std::string& as = program.values[static_cast<size_t>(input)].name;
      values[static_cast<size_t>(input)] =
          relax::Variable(Identifier(as), type_of(input), /*output=*/true);
      parameters.push_back(values[static_cast<size_t>(input)]);
    }
    for (const Step& step : program.steps) {
      std::vector<Node> arguments, types;
      for (size_t i = 0; i < step.inputs.size(); ++i) {
        const Value& value = program.values[static_cast<size_t>(step.inputs[i])];
        const auto view = step.views.find(static_cast<int>(i));
        const auto& shape = view == step.views.end() ? value.type.shape : view->second;
        Node argument = values[static_cast<size_t>(step.inputs[i])];
        if (value.kind == Value::Kind::kWeight) {
          argument = TRY(Weight(value, shape));
        } else if (view != step.views.end()) {
          std::vector<Node> extents;
          for (int64_t extent : shape) extents.push_back(IntImm("int64", extent));
          argument =
              bind(value.name + "_view",
                   typer.Normalize(relax::OperatorCall(
                       "relax.reshape", {argument, Make(global::kShapeExpr, Node(extents))})),
                   false);
        }
        arguments.push_back(argument);
      }
      for (int output : step.outputs) types.push_back(type_of(output));
      const bool several = types.size() > 1;
      const Node made_type = several ? Make(type::kTupleType, Node(types)) : types.at(0);
      const Node call =
          relax::CallTir(Kernel(functions.at(step.kernel), program.kernels.at(step.kernel).role),
                         arguments, made_type);
      const bool output = outputs.count(step.outputs[0]) > 0;
      const Node made = bind(several ? step.name + "_all" : step.name, call, !several && output);
      if (!several) values[static_cast<size_t>(step.outputs[0])] = made;
      for (size_t o = 0; several && o < step.outputs.size(); ++o)
        values[static_cast<size_t>(step.outputs[o])] =
            bind(program.values[static_cast<size_t>(step.outputs[o])].name,
                 typer.Normalize(Make(global::kTupleGetItem, made, static_cast<int>(o))),
                 outputs.count(step.outputs[o]) > 0);
    }
    std::vector<Node> results;
    for (int output : program.outputs) results.push_back(values[static_cast<size_t>(output)]);
    AddMain(name, relax::Function(
                      parameters, bindings,
                      results.size() == 1 ? results[0] : Make(global::kTuple, Node(results))));
    return Ok();
  }

  void AddMain(const std::string& name, const Node& function) {
    const Node named = WithAttribute(function, "global_symbol", name);
    functions_.emplace_back(relax::GlobalVariable(name, named), named);
  }
  void AddFunction(const Node& variable, const Node& function) {
    functions_.emplace_back(variable,
                            WithAttribute(function, "global_symbol", variable["name_hint"].Text()));
  }
  std::string Text() const { return ToJsonText(relax::Module(functions_)); }
  // The same for TVM's default pipeline as it stands: of a dataflow block it asks whether its
  // kernels are reshapes, which fails for what is scheduled or lowered.
  std::string TextOfKernels() const {
    return ToJsonText(RunPass(Call(kToNonDataflow), relax::Module(functions_)));
  }

 private:
  Node Kernel(const Node& function, const std::string& role) {
    Node& known = kernels_[function.id()];
    if (known) return known;
    std::string name = Identifier(role);
    for (int n = 1; !names_.insert(name).second; ++n)
      name = Identifier(role) + "_" + std::to_string(n);
    const Node named =
        WithAttribute(WithAttribute(function, "global_symbol", name), "op_pattern", kOpaque);
    known = relax::GlobalVariable(name, named);
    functions_.emplace_back(known, named);
    return known;
  }

  Result<Node> Weight(const Value& value, const std::vector<int64_t>& shape) {
    Node& known = weights_[{value.file, value.offset, shape}];
    if (!known)
      known = relax::TensorConstant(
          {shape, value.type.dtype},
          TRY(ReadBytes(root_ + "/" + value.file, value.offset, value.type.Bytes())));
    return known;
  }

  std::string root_;
  std::vector<std::pair<Node, Node>> functions_;
  std::map<const void*, Node> kernels_;  // by the function, which the caller keeps alive
  std::set<std::string> names_ = {"main", "original"};
  std::map<std::tuple<std::string, int64_t, std::vector<int64_t>>, Node> weights_;
};

}  // namespace

Result<std::string> Pipeline::GraphModule(const Graph& mutated) const {
  Graph graph = mutated;
  std::map<const void*, Node> constants;
  for (size_t i = static_cast<size_t>(graph.num_inputs); i < graph.parameters.size(); ++i) {
    const Node& parameter = graph.parameters[i];
    const std::string bytes = TRY(graph_.weights(parameter["name"].Text()));
    constants[parameter.id()] = TRY(Guard("a weight", [&] {
      return relax::TensorConstant(relax::TensorsOf(parameter["ty"])[0], bytes);
    }));
  }
  graph.parameters.resize(static_cast<size_t>(graph.num_inputs));
  TRY(Guard("binding weights", [&] {
    for (GraphBinding& binding : graph.bindings)
      binding.value = relax::Substituted(binding.value, constants);
    return Unit{};
  }));
  graph = TRY(Rebuild(graph));
  const Node main = TRY(ToFunction(graph));
  return Guard("writing the module", [&] {
    ModuleWriter writer(options_.root);
    writer.AddMain("main", main);
    std::set<std::string> added;
    for (const GraphBinding& binding : graph.bindings) {
      if (relax::OperatorOf(binding.value) != "relax.call_tir") continue;
      const std::string name = binding.value["args"].At(0)["name_hint"].Text();
      const FunctionTable::Entry* entry = table_.Find(name);
      CHECK(entry != nullptr, name);
      if (added.insert(name).second) writer.AddFunction(entry->variable, entry->function);
    }
    return writer.Text();
  });
}

Status Pipeline::ProgramOfGraph(const Graph& mutated, PerTarget& target, MutantCode* code) {
  MutatedGraph graph;
  // What the front end has to legalise or schedule is asked for here: this is its process.
  std::string needs;
  for (int round = 0; round < 2; ++round) {
    needs.clear();
    const Status fused = FuseMutated(mutated, &graph, &needs);
    if (needs.empty()) {
      TRY(fused);
      break;
    }
    TRY(Legalize(needs));
  }
  if (!needs.empty()) return Fail(Code::kTvm, "its operators could not be legalised");
  std::vector<std::string> key_of_step;
  const auto sources = TRY(SourcesOf(graph.fused, key_of_step));
  BuiltKernels all = target.compiled;
  auto add = [&](const KernelSource& source, const Node& function) -> BuiltKernel& {
    code->functions[source.key] = function;
    BuiltKernel& built = all[source.key];
    built.kernel = {source.key, source.role, "none", "", kKernelSymbol};
    return built;
  };
  for (const auto& [key, source] : sources) {
    if (all.count(key)) continue;
    const Scheduled made = TRY(Schedule(source, target, target.unit));
    BuiltKernel& built = add(source, made.function);
    built.packing = made.packing;
    if (!made.packing) continue;
    const KernelSource packer = TRY(PackerFor(*made.packing));
    built.packer = packer.key;
    if (!all.count(packer.key)) add(packer, packer.function);
  }
  code->program = TRY(Assemble(graph.fused, key_of_step, target, all));
  return Ok();
}

Status Pipeline::CodeOf(const Mutant& mutant, PerTarget& target, MutantCode* code) {
  code->program = programs_.at(static_cast<size_t>(&target - targets_.data()));
  for (const auto& [key, made] : target.scheduled) code->functions[key] = made.function;
  if (mutant.level == Level::kGraph) return ProgramOfGraph(TRY(MutateGraph(mutant)), target, code);
  bool changed = false;
  std::set<std::pair<std::string, std::string>> done;
  for (const MutationPoint& point : mutant.points) {
    if (!done.emplace(point.kernel, point.step).second) continue;
    if (mutant.level == Level::kCode) {
      const Node mutated = TRY(MutateKernel(target, mutant, point.kernel, point.step));
      changed = true;
      if (point.step.empty()) {
        code->functions[point.kernel] = mutated;
        continue;
      }
      const std::string own = point.kernel + "@" + point.step;
      code->functions[own] = mutated;
      code->program.kernels[own] = code->program.kernels.at(point.kernel);
      for (Step& step : code->program.steps)
        if (step.name == point.step) step.kernel = own;
    } else if (point.target == target.target.label) {
      const KernelSubject subject = TRY(LoweredSubject(target, sources_.at(point.kernel)));
      code->functions[point.kernel] =
          TRY(ApplyToKernel(*FindOperator(mutant.use.id), mutant.use.parameters, subject,
                            subject.function, mutant.points));
      changed = true;
    }
  }
  if (changed) return Ok();
  return Fail(Code::kUnsupported, "mutant ", mutant.id,
              " changes nothing for this device's target; name another one with --device");
}

Status Pipeline::Export(const ExportRequest& request) {
  const Mutant& mutant = request.mutant;
  PerTarget& target = targets_.at(static_cast<size_t>(request.target));
  if (mutant.level == Level::kBuild)
    return Fail(Code::kUnsupported, "mutant ", mutant.id,
                " is of level build: it runs the compiler otherwise on the same IR, so no module "
                "holds it; --as replay takes what was compiled along");
  Prepare(request.target, {mutant});
  if (request.form == ExportForm::kModule && mutant.level == Level::kGraph)
    return WriteFile(request.file, TRY(GraphModule(TRY(MutateGraph(mutant)))));
  if (request.form == ExportForm::kModule && mutant.level == Level::kLowered)
    return Fail(Code::kUnsupported, "mutant ", mutant.id,
                " is of level lowered: it changes what TVM's lowering makes of a module, so no "
                "module holds it; --as library and --as replay do");
  if (target.target.accelerator())
    return Fail(Code::kUnsupported, "modules of kernels are written for CPUs; name a device with ",
                "an llvm target with --device, or say --as replay");
  MutantCode code;
  TRY(CodeOf(mutant, target, &code));
  std::map<std::string, Node> original;
  for (const auto& [key, made] : target.scheduled) original[key] = made.function;
  const std::string text = TRY(TRY(Guard("writing the module", [&]() -> Result<std::string> {
    ModuleWriter writer(options_.root);
    TRY(writer.Add("main", code.program, code.functions));
    if (request.form == ExportForm::kScript)
      TRY(writer.Add("original", programs_.at(static_cast<size_t>(request.target)), original));
    return writer.TextOfKernels();
  })));
  if (request.form == ExportForm::kModule) return WriteFile(request.file, text);
  const std::string module = options_.root + "/module.json";
  TRY(WriteFile(module, text));
  const bool script = request.form == ExportForm::kScript;
  return frontend_->UseModule(script ? "script" : "library", {{"module", module},
                                                              {"target", target.target.canonical},
                                                              {"out", request.file},
                                                              {"story", request.story}});
}

}  // namespace mutatenn
