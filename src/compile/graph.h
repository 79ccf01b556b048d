// The network as a Graph: read from the front end's module, typed again after a mutation, batch
// norm lowered to a scale and a shift.
#pragma once

#include <string>

#include "base/result.h"
#include "compile/legalize.h"
#include "model/model.h"
#include "mutation/subject.h"

namespace mutatenn {

// Names: a layer's main binding is named as the layer; its others are "<layer>#<n>". Kernels that
// the importer wrote itself (some converters do) go into `table`.
Result<Graph> GraphFromImport(const ImportedModel& model, FunctionTable& table);

// Every binding typed anew, nested calls bound to variables of their own ("<name>~<n>"), bindings
// that no output needs dropped. An operator that refuses its arguments (shapes that do not fit) is
// kTvm.
Result<Graph> Rebuild(const Graph& graph);

// batch_norm(x) as x * s + t with s = gamma / sqrt(var + eps), t = beta - mean * s; s and t depend
// on weights only. Not folded into the convolution, so that a mutant changes rounding only at its
// point.
Result<Graph> LowerBatchNorm(const Graph& graph);

// The same over machines: structure, attributes, shapes; no names, no weights.
std::string GraphHash(const Graph& graph);

// The graph as a Relax function named main, for printing and hashing.
Result<Node> ToFunction(const Graph& graph);
// Its printed form, variables named as bindings.
Result<std::string> PrintGraph(const Graph& graph);

}  // namespace mutatenn
