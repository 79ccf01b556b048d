// The facts of a contraction C[..] += A[..] * W[..] that tile sizes follow from.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compile/schedule/packing.h"
#include "compile/schedule/schedule.h"
#include "tvm/node.h"
#include "tvm/schedule.h"

namespace mutatenn {

struct Contraction {
  std::vector<int64_t> extents;    // of the spatial axes, in the order of the output
  size_t channel = 0;              // position among them of the output channel
  int64_t group = 0;               // output channels that share their input channels
  int64_t reduction = 1;           // elements reduced per output
  int read_of_weight = 0;          // which of the block's reads
  size_t weight_axis = 0;          // the channel's axis in the weight
  bool weight_contiguous = false;  // the channel is the weight's innermost axis
  bool strided = false;            // steps over input columns
  size_t reduce_axes = 0;
  int weight_parameter = -1;  // of the function, where the weight is constant at every call
  TensorType weight_type;

  int64_t channels() const { return extents[channel]; }
  bool has_rows() const { return channel + 1 < extents.size(); }
  int64_t width() const { return has_rows() ? extents.back() : 1; }
  bool has_columns() const { return has_rows() && channel + 2 < extents.size(); }
  int64_t height() const { return has_columns() ? extents[extents.size() - 2] : 1; }
};

// Lays a constant weight out in blocks of `block` channels; nothing where the weight is not
// constant or lies so already. Before anything else is done with the anchor.
std::optional<Packing> PackWeight(Schedule& schedule, const Node& anchor,
                                  const Contraction& contraction, int64_t block);

// The group's channels, or more where a whole number of vectors costs little and the weight can be
// packed so.
int64_t WholeChannels(const Contraction& contraction, const VectorUnit& unit);
// The function with `channels` of them, which the weight must be packed for (Packing repeats the
// last one). `anchor` is its block, and something reads what that makes.
Node PadChannels(const Node& function, const Node& anchor, const Contraction& contraction,
                 int64_t channels);

// Gives up where the anchor is something else (pool, depthwise, batched product).
Contraction ContractionOf(const Schedule& schedule, const Node& anchor, const Node& function,
                          const std::vector<int>& constant_parameters);

}  // namespace mutatenn
