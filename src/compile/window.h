// The steps of a mutated graph from the original's: only a window around the edit is typed,
// legalised and fused again, everything outside keeps its step. What the window path gives is what
// the whole path gives, or nothing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/flow.h"
#include "compile/fuse.h"
#include "mutation/subject.h"

namespace mutatenn {

class FusionWindow {
 public:
  // The original after each stage: Rebuild, legalisation, fusion.
  FusionWindow(const Graph& typed, const Graph& legalized, const FusedGraph& fused,
               const FunctionTable& table);

  struct Stages {
    // Of a typed graph; nothing where operators have to be legalised first.
    std::function<Result<std::optional<Graph>>(const Graph&)> legalize;
    std::function<Result<FusedGraph>(const Graph&)> fuse;
    const FunctionTable& table;
  };
  struct Outcome {
    // Bindings of the original (indices, ascending) that the window replaced, and what by.
    std::vector<int> replaced;
    std::map<int, std::vector<GraphBinding>> typed;
    std::vector<std::pair<Node, int>> entries;  // variables that stand for bindings outside
    std::optional<FusedGraph> fused;  // nothing where operators have to be legalised first
  };
  // `mutated`: the typed original with other values in some bindings. Nothing where no window can
  // be proven, or where the mutant is refused: the whole path says why.
  std::optional<Outcome> Fuse(const Graph& mutated, const Stages& stages) const;

 private:
  using Inside = std::vector<bool>;  // by typed binding
  struct Cut {
    Graph graph;
    std::vector<std::string> exits;             // names of values read outside
    std::vector<std::pair<Node, int>> entries;  // parameters for values made outside
  };

  Result<std::optional<Outcome>> Try(const Graph& mutated, const Stages& stages) const;
  void Widen(Inside& inside, int binding) const;
  Cut CutOut(const Graph& mutated, const Inside& inside) const;
  Flow Compose(const Inside& inside, std::vector<FlowItem> items) const;
  // Widens by what FuseOps could regroup across the boundary; whether it did.
  bool WidenAcross(const Flow& mutated, Inside& inside) const;
  void CheckExits(const Cut& cut, const Graph& legalized, const Flow& flow) const;
  FusedGraph Splice(const Flow& flow, const Inside& inside, FusedGraph window) const;

  Graph typed_;
  FusedGraph fused_;
  std::set<std::string> inputs_;
  std::map<const void*, int> producer_;    // typed variable -> binding
  std::map<const void*, bool> parameter_;  // -> is an input, no weight
  std::vector<std::vector<int>> readers_;  // of typed bindings
  std::vector<std::string> value_;         // typed binding -> name after legalisation, "" = none
  std::map<std::string, int> owner_;       // the other way
  std::vector<std::vector<int>> inseparable_;  // typed bindings of one fusion group or one tuple
  std::map<std::string, Node> types_;          // of legalised values
  std::optional<Flow> flow_;                   // of the original
  std::map<std::string, int> step_;            // legalised binding -> step
  bool usable_ = true;
};

}  // namespace mutatenn
