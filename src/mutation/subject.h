// What operators are applied to: the graph as the user knows it, and kernels as blocks. Enumeration
// walks a subject and yields points; application finds a mutant's points again and rewrites them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "mutation/mutant.h"
#include "mutation/operator.h"
#include "tvm/node.h"

namespace mutatenn {

// The graph: bindings of Relax's `main` in order. `value` refers to variables (Node identity) of
// parameters and of earlier bindings. After mutation a value may hold nested calls without types;
// the compile room binds and types them.
struct GraphBinding {
  Node variable;
  Node value;
  std::string name;        // unique; values of the program are named by it
  std::string layer;       // node of the user's model, "" where none
  bool synthetic = false;  // the importer invented it; operators leave it alone unless asked
};
struct Graph {
  std::vector<Node> parameters;  // inputs, then weights
  int num_inputs = 1;
  std::vector<GraphBinding> bindings;
  Node output;  // a variable or an ir.Tuple of them
  // Raw little-endian elements of a weight, by its parameter's name. Unset where they are unknown.
  std::function<Result<std::string>(const std::string& parameter)> weights;
};

// Whether an operator looks at a binding at all: not at what the importer invented (a bias add, a
// reshape), unless its parameter "synthetic" asks for it.
inline bool Considers(const GraphBinding& binding, const Json& parameters) {
  return !binding.synthetic || parameters.value("synthetic", false);
}

// A kernel: a PrimFunc whose computation stands in leaf blocks.
struct KernelSubject {
  std::string key;
  std::string role;
  std::vector<std::string> layers;  // of the first step that calls it, then of the others
  Node function;                    // before tiling: its blocks are the origin blocks; at level
                                    // lowered, the lowered function
  std::string step = "";            // scope step: the only step that is mutated
  std::string target = {};          // level lowered: whose code it is, by the target's label
  std::vector<BuildSettings> settings = {};  // level build: of each target
};

Result<std::vector<MutationPoint>> EnumerateGraph(const MutationOperator& op,
                                                  const Json& parameters, const Graph& graph);
// `kernels` in program order, each once (scope step: each step).
Result<std::vector<MutationPoint>> EnumerateKernels(const MutationOperator& op,
                                                    const Json& parameters,
                                                    const std::vector<KernelSubject>& kernels);

// Applies the points (all of level graph). kInternal where a point is not found or nothing changed.
Result<Graph> ApplyToGraph(const MutationOperator& op, const Json& parameters, const Graph& graph,
                           const std::vector<MutationPoint>& points);
// At level lowered `scheduled` is the lowered function, and the points those of its target. Else
// applies those of `points` whose kernel and step are the subject's to `scheduled`, the same kernel
// after scheduling (or subject.function itself): blocks are found by origin name, B_init and
// B_update count as B, and blocks that the schedule added are left alone. kInternal where a point
// is not found or nothing changed.
Result<Node> ApplyToKernel(const MutationOperator& op, const Json& parameters,
                           const KernelSubject& subject, const Node& scheduled,
                           const std::vector<MutationPoint>& points);
// At level build: the settings as the point has them, which are `settings` where it does not apply.
Result<BuildSettings> ApplyToSettings(const MutationOperator& op, const Json& parameters,
                                      const BuildSettings& settings, const MutationPoint& point);

}  // namespace mutatenn
