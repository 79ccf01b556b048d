// Fused steps and built kernels -> a program: values by name, weights by file, packed weights made
// by weight-only steps of their own.
#include <filesystem>
#include <map>
#include <set>

#include "base/files.h"
#include "base/hash.h"
#include "compile/pipeline.h"
#include "tvm/relax.h"

namespace mutatenn {

Result<Program> Pipeline::Assemble(const FusedGraph& fused,
                                   const std::vector<std::string>& key_of_step,
                                   const PerTarget& target, const BuiltKernels& kernels) const {
  Program program;
  program.model = options_.model_name;
  program.target = target.target.canonical;
  std::map<std::string, int> index;
  auto add = [&](Value value) {
    index[value.name] = static_cast<int>(program.values.size());
    program.values.push_back(std::move(value));
    return static_cast<int>(program.values.size()) - 1;
  };
  for (int i = 0; i < graph_.num_inputs; ++i) {
    const Node& parameter = graph_.parameters[i];
    relax::Tensor tensor =
        TRY(Guard("input", [&] { return relax::TensorsOf(parameter["ty"])[0]; }));
    program.inputs.push_back(
        add({parameter["name"].Text(), Value::Kind::kInput, {tensor.shape, tensor.dtype}, "", 0}));
  }
  std::set<std::string> used;
  for (const FusedStep& step : fused.steps) used.insert(step.inputs.begin(), step.inputs.end());
  for (const ImportedWeight& weight : imported_.weights)
    if (used.count(weight.name))
      add({weight.name,
           Value::Kind::kWeight,
           {weight.shape, weight.dtype},
           weights_file_,
           weight.offset});
  for (const FusedConstant& constant : fused.constants) {
    const std::string file = "weights/" + HashBytes(constant.name) + ".bin";
    if (!std::filesystem::exists(options_.root + "/" + file))
      TRY(WriteFile(options_.root + "/" + file, constant.bytes));
    add({constant.name, Value::Kind::kWeight, constant.type, file, 0});
  }
  // Has `reader` take the packed form of its weight, which the first that asks for it makes.
  auto pack = [&](const BuiltKernel& built, Step& reader) -> Status {
    const Packing& packing = *built.packing;
    int& weight = reader.inputs.at(static_cast<size_t>(packing.input));
    const Value& value = program.values.at(static_cast<size_t>(weight));
    TensorType type = value.type;
    std::string shown = value.name;
    Step step;
    if (auto view = reader.views.find(packing.input); view != reader.views.end()) {
      type.shape = view->second;
      for (int64_t extent : type.shape) shown += "~" + std::to_string(extent);
      step.views[0] = type.shape;
      reader.views.erase(view);
    }
    if (type != packing.weight)
      return Fail(Code::kInternal, "weight '", value.name, "' has another type than its kernel");
    step.name = packing.NameFor(shown);
    step.inputs = {weight};
    if (auto found = index.find(step.name); found != index.end()) {
      weight = found->second;
      return Ok();
    }
    step.kernel = built.packer;
    step.layers = reader.layers;  // a weight that differs is found in them
    step.weight_only = true;
    weight = add({step.name, Value::Kind::kStep, packing.packed(), "", 0});
    step.outputs = {weight};
    program.kernels[step.kernel] = kernels.at(step.kernel).kernel;
    program.steps.push_back(std::move(step));
    return Ok();
  };
  for (size_t i = 0; i < fused.steps.size(); ++i) {
    const FusedStep& fused_step = fused.steps[i];
    Step step;
    step.name = fused_step.outputs.at(0);
    step.kernel = key_of_step[i];
    step.layers = fused_step.layers;
    step.weight_only = fused_step.weight_only;
    step.views = fused_step.views;
    for (const std::string& input : fused_step.inputs) {
      auto found = index.find(input);
      if (found == index.end())
        return Fail(Code::kInternal, "step '", step.name, "' reads unknown value '", input, "'");
      step.inputs.push_back(found->second);
    }
    for (size_t o = 0; o < fused_step.outputs.size(); ++o)
      step.outputs.push_back(
          add({fused_step.outputs[o], Value::Kind::kStep, fused_step.output_types.at(o), "", 0}));
    const BuiltKernel& built = kernels.at(step.kernel);
    if (built.packing) TRY(pack(built, step));
    program.kernels[step.kernel] = built.kernel;
    program.steps.push_back(std::move(step));
  }
  for (const auto& [key, tool] : target.tools)
    program.kernels[key] = target.compiled.at(key).kernel;
  for (const std::string& output : fused.outputs) {
    auto found = index.find(output);
    if (found == index.end())
      return Fail(Code::kUnsupported, "output '", output, "' is an input or a weight");
    program.outputs.push_back(found->second);
  }
  TRY(Validate(program));
  return program;
}

}  // namespace mutatenn
