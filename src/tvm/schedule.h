// A schedule of one PrimFunc: TVM's schedule primitives as methods. Blocks and loops are handles
// into it; query them anew after a primitive has changed them. Everything throws what TVM throws;
// use inside Guard.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tvm/node.h"

namespace mutatenn {

class Schedule {
 public:
  explicit Schedule(const Node& function);
  // The function as scheduled so far, with the attributes of the original.
  Node Function() const;

  // Queries.
  Node Get(const Node& handle) const;  // the SBlock or For behind a handle
  int64_t Extent(const Node& loop) const;
  std::string NameOf(const Node& block) const;
  std::vector<Node> Blocks() const;  // children of the root, in program order
  std::vector<Node> OutputBlocks() const;
  std::vector<Node> Producers(const Node& block) const;
  std::vector<Node> Consumers(const Node& block) const;
  std::vector<Node> Loops(const Node& block) const;

  // Primitives.
  void ComputeInline(const Node& block);
  Node CacheWrite(const Node& block, const std::string& scope);  // of its first output
  Node CacheRead(const Node& block, int read_index);             // a copy of what it reads
  void SetScope(const Node& block, const std::string& scope);    // of its first output
  // Changes the layout of a buffer: `map` turns old indices into new ones.
  using IndexFunction = std::function<std::vector<Node>(std::vector<Node>)>;
  void TransformRead(const Node& block, int read_index, const IndexFunction& map);
  void TransformWrite(const Node& block, const IndexFunction& map);  // of its first output
  // factors[0] is computed (ceiling division); a product that does not divide adds a predicate.
  std::vector<Node> Split(const Node& loop, const std::vector<int64_t>& inner_factors);
  Node Fuse(const std::vector<Node>& loops);
  void Reorder(const std::vector<Node>& loops);
  void ComputeAt(const Node& block, const Node& loop);  // unit loops stay, so positions hold
  void Vectorize(const Node& loop);
  void Unroll(const Node& loop);
  Node DecomposeReduction(const Node& block, const Node& loop);
  // Of targets with threads: `thread` is "blockIdx.x", "threadIdx.x", ...
  void Bind(const Node& loop, const std::string& thread);
  Node AddUnitLoop(const Node& block);
  bool IsSpatial(const Node& loop) const;
  // The primitives that another schedule of the same function recorded, as its trace says them.
  void Apply(const Node& trace);
  // Lowering peels the iterations where a predicate of this loop does not hold.
  void HintPartition(const Node& loop);

 private:
  void TransformLayout(const Node& block, int index, int read_or_write, const Node& buffer,
                       const IndexFunction& map);
  Node Root() const;

  Node schedule_;
};

}  // namespace mutatenn
