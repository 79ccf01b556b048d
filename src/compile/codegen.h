// From scheduled PrimFuncs to a shared library: lower, split host from device, LLVM, object, link.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/target.h"
#include "tvm/node.h"
#include "tvm/passes.h"

namespace mutatenn {

// Names of the lowering passes, in order: part of the cache key.
const std::vector<std::string>& LoweringPasses();

// Those that lower kernels for a target, in order.
std::span<const LoweringPass> PassesFor(const Target& target);

// `function` is a PrimFunc, scheduled or not; so is what it is lowered to. Equal functions are
// equal lowered: no name is in them.
Result<Node> Lower(const Node& function, const Target& target);
Result<Node> Lower(const Node& function, const Target& target,
                   std::span<const LoweringPass> passes);

// The TVM symbol of the kernel at `index` of `count` in one library.
std::string SymbolOf(size_t index, size_t count);

// The bytes of the ELF object that a module of TVM's (a runtime module, not IR) is written as.
Result<std::string> ObjectOf(const Node& module);

// Machine code of lowered functions, which get the names of SymbolOf: the bytes of an ELF object.
// Nothing touches a disk: LLVM ends the process when a file cannot be written, which must not look
// like a mutant's fault. `target`: a node of Target.
Result<std::string> EmitObject(const std::vector<Node>& lowered, const Node& target);

// Links objects (their bytes) into a shared library with `ld -shared -s` (5 ms). A full disk is
// kIo.
Status LinkLibrary(const std::vector<std::string>& objects, const std::string& path);

// Lower, emit and link one kernel. For tests.
Status BuildLibrary(const Node& function, const Target& target, const std::string& path);

}  // namespace mutatenn
