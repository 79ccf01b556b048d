// A legalised graph as plain numbers: who reads whom, what each call's pattern is, and from that
// the two things of TVM's FuseOps that do not need TVM: which values it can never fuse into what
// reads them, and in which order it leaves the groups it makes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compile/fuse.h"
#include "compile/legalize.h"
#include "mutation/subject.h"

namespace mutatenn {

struct FlowItem {  // a binding of a legalised graph
  std::string name;
  int owner = -1;                  // the typed binding that it came from
  int pattern = 8;                 // op_pattern of the PrimFunc it calls
  bool tuple = false;              // makes a tuple or takes one apart
  std::vector<std::string> reads;  // names of values, parameters too, in order
};

// The bindings of a legalised graph; owners are not set.
std::vector<FlowItem> FlowItems(const Graph& legalized, const FunctionTable& table);

class Flow {
 public:
  // `inputs`: parameters that are no weights. Gives up where a name stands twice.
  Flow(std::vector<FlowItem> items, const std::set<std::string>& inputs,
       const std::vector<std::string>& outputs);

  const std::vector<FlowItem>& items() const { return items_; }
  const std::vector<int>& readers(int item) const { return readers_[item]; }
  bool weight_only(int item) const { return weight_only_[item]; }
  bool used(int item) const { return output_[item] || !readers_[item].empty(); }
  int Find(const std::string& name) const;  // -1: no binding of that name

  // Whether FuseOps leaves the value at the end of its group whatever stands on the far side of it:
  // it is an output, or every way to where its readers meet again leads through a call that it
  // cannot join.
  bool Final(int item) const;

  // FuseOps leaves groups in the order of their first bindings, what a group reads before it.
  // `group` of each item; weight-only groups first, as they are fused on their own.
  std::vector<int> GroupOrder(const std::vector<int>& group) const;

 private:
  void FindPostDominators();
  int Meet(int a, int b) const;

  std::vector<FlowItem> items_;
  std::map<std::string, int> index_;
  std::vector<std::vector<int>> readers_;
  std::vector<std::vector<int>> producers_, consumers_;  // in the same half
  std::vector<bool> weight_only_, output_;               // output: of its half
  std::vector<int> parent_, depth_;                      // immediate post-dominator, -1 = none
};

}  // namespace mutatenn
