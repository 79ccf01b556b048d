"""Kernels for GPUs, scheduled by TVM's dlight: what it does to each is handed over as a trace of schedule
primitives, which C++ applies to the kernel and to its mutants alike.
"""

import json

import tvm
import tvm_ffi
from tvm import s_tir, tirx
from tvm.s_tir import dlight


_original_annotate = s_tir.Schedule.annotate


def _annotate(schedule, block_or_loop, ann_key, ann_val):
    # Loops that TVM unrolls itself make twenty times the source and hide the mutation points of a loop in
    # its copies; as a pragma the device's compiler does it.
    return _original_annotate(schedule, block_or_loop, ann_key, 0 if ann_key == "pragma_unroll_explicit" else ann_val)


def _rules(function):
    gpu = dlight.gpu
    names = []
    tvm_ffi.structural_walk(function.body, (s_tir.SBlock, lambda block: names.append(block.name_hint)))
    if any("conv2d" in name for name in names):
        # Reduction rules spread the 9 products of a depthwise convolution over a whole group of threads.
        return [gpu.Matmul(), gpu.Fallback()]
    return [gpu.Matmul(), gpu.GEMV(), gpu.Reduction(), gpu.GeneralReduction(), gpu.Fallback()]


def _trace(function, target):
    for rule in _rules(function):
        try:
            space = rule.apply(function, target, False)
        except Exception:  # a rule that trips over a kernel is a rule that does not take it
            continue
        if space is None:
            continue
        schedule = space[0] if isinstance(space, (list, tuple)) else space
        return tvm.ir.save_json(tvm_ffi.convert(schedule.trace.as_json()))
    return ""


def traces(module_json, target_json):
    """By name: the trace for each PrimFunc of the module, as JSON; "" where no rule takes it."""
    target = tvm.target.Target(json.loads(target_json))
    module = tvm.ir.load_json(module_json)
    s_tir.Schedule.annotate = _annotate
    try:
        return {
            variable.name_hint: _trace(function.with_attr("target", target), target)
            for variable, function in module.functions_items()
            if isinstance(function, tirx.PrimFunc)
        }
    finally:
        s_tir.Schedule.annotate = _original_annotate
