// A mutation operator: a rule that makes mutants. One file defines and registers one; nothing else
// is edited to add it. Enumerating points and applying them is the same function, `rewrite`, so
// that the two cannot disagree.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "mutation/build_settings.h"
#include "mutation/mutant.h"
#include "tvm/node.h"

namespace mutatenn {

struct ParameterSpec {
  std::string name;
  std::string type;  // "number", "integer", "boolean", "string" or "strings"
  Json fallback;     // used where the configuration says nothing
  std::string doc;
  // Of "string" and "strings", and of "integer" spelled in decimal; empty = any. One that ends in
  // '*' allows all that begin with what stands before it.
  std::vector<std::string> allowed = {};
};

// How an operator takes part in a preset (mutation/presets.h).
struct PresetUse {
  std::string preset;                // "default", "all", or any other name, which then is a preset
  Json parameters = Json::object();  // beside the defaults
  std::string positions = {};        // as OperatorUse::positions
};

class GraphView;

// The value of one binding becomes another: what a graph operator that looks around itself does.
struct GraphEdit {
  size_t binding = 0;  // among Graph::bindings; the one that matches or another near it
  Node value;
};

// Where in a kernel a part of a leaf block stands, as the unscheduled kernel has it.
struct Place {
  bool init = false;       // what starts a reduction, not its step
  bool reduction = false;  // of a block that has an init
  bool output = false;     // of a block that writes a parameter of the kernel
};

struct MutationOperator {
  std::string id;        // "<level>.<file stem>": code.relation lives in code/relation.cc
  std::string category;  // of the paper: "layer node", "arithmetic node", "node input/output",
                         // "arithmetic types", "store value", "conditions"; "arithmetic
                         // operators" beside them
  std::string source;    // "paper", "tool" or "new"
  std::string summary;   // one sentence
  std::string doc;       // what fault it stands for, when it survives
  std::string example;   // name of the example in tests/examples that its golden uses
  std::vector<ParameterSpec> parameters = {};
  // Where nothing is said for "default" or "all", the operator is in it once, with its defaults;
  // one of level build in "all" alone: it asks about the compiler, not about the network's tests.
  std::vector<PresetUse> presets = {};
  // Level code. Where the operator looks at all; null = everywhere.
  bool (*considers)(const Place& place, const Json& parameters) = nullptr;
  // Level code. What `rewrite` gives for a TensorLoad or BufferStore differs in its indices alone:
  // they are written for the kernel before scheduling, and application carries them over to the
  // layout that a schedule gave the buffer.
  bool rewrites_indices = false;
  // Level code. Loads and stores are points only where they are of the kernel's parameters: a
  // schedule cuts a kernel's own buffers down to what a tile needs of them.
  bool parameters_only = false;
  // Level code. Also registered as "lowered.<file stem>": the same rewriting of what lowering makes
  // for one target, predicates of tails and vectors of lanes included.
  bool at_level_lowered = false;
  // A node of the operator's kind: what MutationPoint::match and ::index count. At level graph the
  // node is the value bound by a binding (an ir.Call), at level code a node inside a block's init
  // or body, at level lowered one anywhere; but not inside the indices of a load or store. Null at
  // level build, where each kernel is a match.
  bool (*matches)(const Node& node, const Json& parameters) = nullptr;
  // All replacements of a matching node: none = not applicable here, several = several variants.
  // May use Make/Call freely: an exception of TVM's ends in the caller's Guard.
  std::vector<Node> (*rewrite)(const Node& node, const Json& parameters) = nullptr;
  // Instead of `rewrite`, for a graph operator that needs more than the node, such as the producer
  // of an argument: the edits of which each is a variant. At level graph, what would change the
  // type of the value is left out of the points, so neither function need look after types.
  std::vector<GraphEdit> (*rewrite_graph)(const GraphView& view, size_t binding,
                                          const Json& parameters) = nullptr;
  // Instead of `rewrite`, at level build: the ways to run the compiler otherwise, a variant each,
  // as many of the same names for every target; one that changes nothing does not apply there.
  std::vector<BuildVariant> (*rebuild)(const BuildSettings& settings,
                                       const Json& parameters) = nullptr;

  Level level() const;
};

// Sorted by id: link order never shows.
const std::vector<const MutationOperator*>& AllOperators();
const MutationOperator* FindOperator(const std::string& id);
// Checks names, types and allowed values, fills in defaults. The error names the key below
// "operators[i]".
Result<Json> CheckParameters(const MutationOperator& op, const Json& given);

struct RegisterOperator {
  explicit RegisterOperator(MutationOperator op);
};
// MUTATION_OPERATOR(.id = "code.relation", ...);
#define MUTATION_OPERATOR(...)                                   \
  static const ::mutatenn::RegisterOperator register_operator_ { \
    ::mutatenn::MutationOperator { __VA_ARGS__ }                 \
  }

}  // namespace mutatenn
