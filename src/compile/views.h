// Fused steps -> the same steps without those that only give bytes another shape (reshape, flatten,
// expand_dims, squeeze): whoever reads their output reads their input, in that shape.
#pragma once

#include <map>
#include <utility>

#include "compile/fuse.h"

namespace mutatenn {

class ReshapeMemo {
 public:
  // An output of the network stays a step of its own, and so does whatever TVM does not prove to be
  // a reshape of a whole buffer.
  Result<FusedGraph> ReadThrough(FusedGraph fused);

 private:
  bool IsReshape(const FusedStep& step);
  std::map<const void*, std::pair<Node, bool>> known_;  // functions asked about, kept alive
};

}  // namespace mutatenn
