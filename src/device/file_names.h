// Programs and mutants name files of the campaign's folder. Where they run elsewhere, the names
// become those that the files have there.
#pragma once

#include <functional>
#include <string>

#include "device/session.h"

namespace mutatenn {

// From a name relative to the campaign's folder to the name there.
using NameFile = std::function<Result<std::string>(const std::string&)>;

Status RenameFiles(Program& program, const NameFile& name);
Status RenameFiles(MutantProgram& mutant, const NameFile& name);
Status RenameFiles(FloorRequest& request, const NameFile& name);

}  // namespace mutatenn
