// From a scheduled PrimFunc to a shared library: lower, split host from device, LLVM, object, link.
// The function is exported as kKernelSymbol, so that two objects with equal bytes hold the same
// code.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compile/target.h"
#include "tvm/node.h"

namespace mutatenn {

// Names of the lowering passes, in order: part of the cache key.
const std::vector<std::string>& LoweringPasses();

// A module of one lowered function. `function` is a PrimFunc, scheduled or not.
Result<Node> Lower(const Node& function, const Target& target);

// Machine code of a lowered module: the bytes of an ELF object. Nothing touches a disk: LLVM ends
// the process when a file cannot be written, which must not look like a mutant's fault.
// `target`: a node of Target.
Result<std::string> EmitObject(const Node& lowered, const Node& target);

// Links objects (their bytes) into a shared library with `ld -shared -s` (5 ms). A full disk is
// kIo.
Status LinkLibrary(const std::vector<std::string>& objects, const std::string& path);

// Lower, emit and link; returns the hash of the object's bytes. For tests and single kernels.
Result<std::string> BuildLibrary(const Node& function, const Target& target,
                                 const std::string& path);

}  // namespace mutatenn
