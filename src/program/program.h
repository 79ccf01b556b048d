// A model compiled for one target: steps in order over values. Single assignment: no step writes a
// value that another wrote, or an input. Programs of one model have the same steps on every target.
// Read and written as JSON; the file names in it are relative to the campaign's folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct TensorType {
  std::vector<int64_t> shape;
  std::string dtype = "float32";  // TVM's spelling: float32, int64, bool, ...

  int64_t Elements() const;
  int64_t Bytes() const;
  bool operator==(const TensorType&) const = default;
};

struct Value {
  enum class Kind { kInput, kWeight, kStep };
  std::string name;  // unique in the program; equal names in original and mutant are compared
  Kind kind = Kind::kStep;
  TensorType type;
  std::string file;    // kWeight: raw little-endian elements lie in this file ...
  int64_t offset = 0;  // ... from this byte on (a multiple of 64)
  bool operator==(const Value&) const = default;
};

// Position among a step's inputs -> the shape that the value's elements are read in, where that is
// another than the value's own.
using Views = std::map<int, std::vector<int64_t>>;

struct Step {
  std::string name;                 // the name of its first output
  std::string kernel;               // key into Program::kernels
  std::vector<int> inputs;          // indices into Program::values, in the kernel's parameter order
  std::vector<int> outputs;         // follow the inputs in the kernel's parameter list
  std::vector<std::string> layers;  // nodes of the user's model that it computes, in order
  bool weight_only = false;         // reads weights only: runs once, not per image
  Views views;
};

// The TVM symbol of a kernel that is alone in its library.
inline constexpr const char* kKernelSymbol = "kernel";

struct Kernel {
  std::string key;      // of the unscheduled PrimFunc: no symbol name, no target in it
  std::string role;     // what it computes, for people: "conv2d_multiply_add_clip"
  std::string library;  // shared library that exports it, perhaps among others
  std::string code;     // hash of its machine code; equal = same code, "" = not known
  std::string symbol = kKernelSymbol;  // that it is exported as
  bool fixed_accesses = false;  // touches the same elements whatever values they hold; a mutant's
  bool operator==(const Kernel&) const = default;
};

// By code, or by place: what the same library exports under the same symbol.
bool SameCode(const Kernel& a, const Kernel& b);

struct Program {
  std::string model;
  std::string target;  // the target's canonical JSON
  std::vector<Value> values;
  std::vector<Step> steps;
  std::map<std::string, Kernel> kernels;
  std::vector<int> inputs;   // indices into values
  std::vector<int> outputs;  // indices into values

  int FindValue(const std::string& name) const;  // -1 when absent
};

// One program as its difference to another: messages and the store hold what a mutation changed,
// not the network.
struct ProgramEdit {
  // `count` entries of the original's list from `from` on, then the next `fresh` new ones.
  struct Run {
    int from = 0, count = 0, fresh = 0;
    bool operator==(const Run&) const = default;
  };
  std::vector<Run> value_runs, step_runs;
  std::vector<Value> values;              // new ones
  std::vector<Step> steps;                // new ones; their indices are the mutant's
  std::map<std::string, Kernel> kernels;  // new or changed
  std::vector<int> inputs, outputs;       // indices into the mutant's values
};
ProgramEdit Difference(const Program& original, const Program& mutant);
// The inverse. kInvalidInput when the edit is not one of this original.
Result<Program> Apply(const ProgramEdit& edit, const Program& original);

// What differs between a mutant and its original on one target. Exactly one of the two is set:
// `edit` where steps changed (another graph, or a step with a kernel of its own), else `replaced`:
// kernel key -> its mutated kernel.
struct MutantProgram {
  std::string mutant;  // id
  bool graph_changed = false;
  ProgramEdit edit;
  std::map<std::string, Kernel> replaced;
  // Steps whose memory is guarded (mutated kernels at levels code and lowered), by kernel key.
  std::vector<std::string> guarded;

  // The whole mutant as a program.
  Result<Program> Apply(const Program& original) const;
};

// A hash of all that a mutant runs and of what is watched while it runs: mutants of one original
// with equal hashes have equal fates.
Result<std::string> RunsAs(const MutantProgram& mutant, const Program& original);

Json ToJson(const Program& program);
Json ToJson(const MutantProgram& mutant);
// Every index, name and shape is checked: a damaged file is an error that names the place.
Result<Program> ProgramFromJson(const Json& json);
Result<MutantProgram> MutantProgramFromJson(const Json& json);
Status Validate(const Program& program);

}  // namespace mutatenn
