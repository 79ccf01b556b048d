// A mutant as a module that any other program of TVM's loads.
#pragma once

#include <string>

#include "base/json.h"
#include "mutation/mutant.h"

namespace mutatenn {

enum class ExportForm {
  kModule,   // JSON of an IRModule whose `main` is the mutant: at level graph the network in Relax
             // as the user knows it, else calls of the kernels as the target runs them
  kLibrary,  // a shared library with `main` for Relax's virtual machine
  kScript,   // a Python file that runs `main` and, beside it, `original`
};

struct ExportRequest {
  int target = 0;  // index into GeneratorOptions::targets
  Mutant mutant;
  ExportForm form = ExportForm::kModule;
  std::string file;             // is written
  Json story = Json::object();  // of a script: python/mutatenn/script.py says what it holds
};

}  // namespace mutatenn
