// Users' own operators: Python files that the front end runs (python/mutatenn/operators.py). Here
// their points become mutation points, and what they make of the graph or of a kernel is taken
// over at their points only, so that nothing else can change.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "mutation/subject.h"

namespace mutatenn {

struct UserMutation {
  Graph graph;                          // level graph: the mutated one
  std::map<std::string, Node> kernels;  // level code: kernel key -> its mutated scheduled function
};

class UserOperators {
 public:
  // The level that the file says, and its points in the graph or in the kernels.
  static Result<Level> Enumerate(Frontend& frontend, const OperatorUse& use, const Graph& graph,
                                 const std::vector<KernelSubject>& kernels,
                                 std::vector<MutationPoint>* points);
  // `scheduled`: by kernel key. kInvalidInput: the file failed or did not change its points alone.
  static Result<UserMutation> Apply(Frontend& frontend, const Mutant& mutant, const Graph& graph,
                                    const std::vector<KernelSubject>& kernels,
                                    const std::map<std::string, Node>& scheduled);
};

}  // namespace mutatenn
