// The pass lists of the pipeline, by TVM's names and in order; src/compile runs them.
#pragma once

#include "tvm/node.h"

namespace mutatenn {

struct LoweringPass {
  const char* name;
  bool has_argument = false;
  Node argument = {};
};

inline const LoweringPass kLoweringPasses[] = {
    {"s_tir.transform.CanonicalizeLoop"},
    {"s_tir.transform.LowerCrossThreadReduction"},
    {"s_tir.transform.LowerInitBlock"},
    {"s_tir.transform.PlanAndUpdateBufferAllocationLocation"},
    {"s_tir.transform.ConvertBlocksToOpaque"},
    {"s_tir.transform.LiftThreadBinding"},
    {"s_tir.transform.ManifestSharedMemoryLocalStage"},
    {"s_tir.transform.CompactBufferAllocation", true, Node(true)},
    {"s_tir.transform.LowerAutoCopy"},
    {"s_tir.transform.UnifyThreadBinding"},
    {"s_tir.transform.LowerMatchBuffer"},
    {"s_tir.transform.StmtSimplify"},
    {"s_tir.transform.LowerOpaqueBlock"},
    {"tirx.transform.FlattenBuffer"},
    {"tirx.transform.BF16ComputeLegalize"},
    // Before index types are narrowed: that pass loses which loop is hinted.
    {"s_tir.transform.LoopPartition"},
    {"tirx.transform.NarrowDataType", true, Node(32)},
    {"tirx.transform.VectorizeLoop", true, Node(true)},
    {"tirx.transform.StorageRewrite"},
    {"s_tir.transform.HoistIfThenElse"},
    {"tirx.transform.UnrollLoop"},
    {"tirx.transform.StmtSimplify"},
    {"tirx.transform.RemoveNoOp"},
    {"s_tir.transform.RewriteUnsafeSelect"},
    {"tirx.transform.CommonSubexprElim"},
};

// On the CPU host and device are one, and callers pass what the program states: nothing is split,
// packed (compile/plain_function.h) or checked.
inline constexpr const char* kFinishingPasses[] = {
    "tirx.transform.VerifyMemory",       "tirx.transform.SkipAssert",
    "tirx.transform.FP8StorageLegalize", "tirx.transform.BF16StorageLegalize",
    "tirx.transform.LowerTVMBuiltin",    "tirx.transform.LowerIntrin",
};

}  // namespace mutatenn
