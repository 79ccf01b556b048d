// A legalised graph to steps: weight-only bindings apart, operators fused by TVM's FuseOps, each
// group made one PrimFunc by FuseTIR (memoised), and every step given the names of the values and
// layers it computes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/legalize.h"
#include "mutation/subject.h"
#include "program/program.h"

namespace mutatenn {

struct FusedStep {
  Node function;                     // PrimFunc: inputs in order, then outputs
  std::string role;                  // "conv2d_multiply_add_clip"
  std::vector<std::string> inputs;   // value names
  Views views;                       // of inputs
  std::vector<std::string> outputs;  // value names
  std::vector<TensorType> output_types;
  std::vector<std::string> layers;
  std::vector<std::string> bindings;  // of the legalised graph, that it computes ...
  std::vector<std::string> calls;     // ... and the role of each
  bool weight_only = false;
};

struct FusedConstant {  // a constant that stayed an argument of a kernel
  std::string name;
  TensorType type;
  std::string bytes;
};

struct FusedGraph {
  std::vector<FusedStep> steps;  // weight-only steps first
  std::vector<std::string> outputs;
  std::vector<FusedConstant> constants;
};

class FuseMemo {
 public:
  Result<FusedGraph> Fuse(const Graph& legalized, const FunctionTable& table);

  struct Group {
    Node function;           // of Relax, as asked
    Node fused;              // the PrimFunc
    std::vector<int> order;  // its inputs as indices of the group's parameters
  };

 private:
  const Group& FuseGroup(const Node& group, const FunctionTable& table);
  std::map<uint64_t, std::vector<Group>> groups_;
};

}  // namespace mutatenn
