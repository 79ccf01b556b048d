// Libraries of kernels and files of weights, wherever a program or an edit names them.
#include "device/file_names.h"

namespace mutatenn {
namespace {

Status RenameKernels(std::map<std::string, Kernel>& kernels, const NameFile& name) {
  for (auto& [key, kernel] : kernels) kernel.library = TRY(name(kernel.library));
  return Ok();
}

Status RenameWeights(std::vector<Value>& values, const NameFile& name) {
  for (Value& value : values)
    if (value.kind == Value::Kind::kWeight) value.file = TRY(name(value.file));
  return Ok();
}

}  // namespace

Status RenameFiles(Program& program, const NameFile& name) {
  TRY(RenameKernels(program.kernels, name));
  return RenameWeights(program.values, name);
}

Status RenameFiles(MutantProgram& mutant, const NameFile& name) {
  TRY(RenameKernels(mutant.replaced, name));
  TRY(RenameKernels(mutant.edit.kernels, name));
  return RenameWeights(mutant.edit.values, name);
}

Status RenameFiles(FloorRequest& request, const NameFile& name) {
  for (MutantProgram& program : request.roundings) TRY(RenameFiles(program, name));
  if (request.exact) TRY(RenameFiles(*request.exact, name));
  return Ok();
}

}  // namespace mutatenn
