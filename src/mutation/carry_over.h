// New indices of a load or store, written for the kernel before scheduling, in the layout that a
// schedule gave the buffer. Internal to the room.
#pragma once

#include "tvm/node.h"

namespace mutatenn {

// `access` of leaf block `block` was mutated to `mutated`; `scheduled` is the same access in
// `scheduled_block`, which computes the block or, where `init`, the start of its reduction.
// Returns `scheduled` with the mutated indices. Gives up where the layout is none of those that
// transformations of one axis into its quotient and remainder make.
Node CarryOver(const Node& access, const Node& mutated, const Node& block, const Node& scheduled,
               const Node& scheduled_block, bool init);

}  // namespace mutatenn
