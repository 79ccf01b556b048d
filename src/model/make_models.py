"""Writes the small ONNX models of frontend_test.cc and onnx_oracle.py into a folder; seeded.

    python make_models.py DIR
"""

import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(7)


def weight(name, *shape, dtype=np.float32, positive=False):
    values = RNG.normal(0, 0.5, shape)
    return numpy_helper.from_array((np.abs(values) + 0.5 if positive else values).astype(dtype), name)


def constant(name, value, dtype):
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(folder, name, nodes, inputs, outputs, initializers=(), opset=13):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, os.path.join(folder, name + ".onnx"))


def node(op, inputs, outputs, name="", **attributes):
    """inputs and outputs: names between blanks, - for an input left out."""
    return helper.make_node(op, [i.strip("-") for i in inputs.split()], outputs.split(), name=name, **attributes)


def layers(folder):
    """Every converter that we replace; one node without a name."""
    nodes = [
        node("Cast", "w0_half", "w0", "cast", to=TensorProto.FLOAT),
        node("Conv", "x w0 b0", "c0", "conv", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("BatchNormalization", "c0 g bt m v", "n0", "bn", epsilon=1e-3),
        node("Clip", "n0 zero six", "a0", ""),
        node("Conv", "a0 w1", "c1", "conv2", pads=[1, 1, 1, 1], group=4),
        node("Relu", "c1", "r1", "relu"),
        node("Sum", "a0 r1 n0", "s0", "sum"),
        node("Dropout", "s0", "d0", "dropout"),
        node("Max", "d0 c0", "m0", "max"),
        node("LRN", "m0", "l0", "lrn", size=3, alpha=0.1, beta=0.75),
        node("Pad", "l0 pads", "p0", "pad"),
        node("AveragePool", "p0", "ap", "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "ap", "gap", "gap"),
        node("Flatten", "gap", "flat", "flat"),
        node("Gemm", "flat wg bg", "y", "fc", transB=1, alpha=0.5, beta=2.0),
    ]
    initializers = [
        weight("w0_half", 4, 3, 3, 3, dtype=np.float16), weight("b0", 4), weight("g", 4), weight("bt", 4),
        weight("m", 4), weight("v", 4, positive=True), constant("zero", 0, np.float32),
        constant("six", 6, np.float32), weight("w1", 4, 1, 3, 3),
        constant("pads", [0, 0, 1, 0, 0, 0, 0, 1], np.int64), weight("wg", 5, 4), weight("bg", 5),
    ]  # fmt: skip
    save(folder, "layers", nodes, [info("x", ["N", 3, 9, 9])], [info("y", ["N", 5])], initializers)


def shapes(folder):
    """A reshape whose target is computed from a shape, as PyTorch exports it; a Constant node."""
    nodes = [
        node("Shape", "x", "shape"),
        node("Constant", "", "index", value=constant("", 0, np.int64)),
        node("Gather", "shape index", "batch", axis=0),
        node("Constant", "", "axes", value=constant("", [0], np.int64)),
        node("Unsqueeze", "batch axes", "batch1"),
        node("Constant", "", "rest", value=constant("", [-1], np.int64)),
        node("Concat", "batch1 rest", "target", axis=0),
        node("Reshape", "x target", "flat", "reshape"),
        node("MatMul", "flat w", "mm", "matmul"),
        node("Add", "mm b", "y", "bias"),
    ]
    save(folder, "shapes", nodes, [info("x", [2, 3, 4])], [info("y", [2, 6])], [weight("w", 12, 6), weight("b", 6)])


def several(folder):
    """Two inputs, three outputs of which one is used inside too, a weight used twice, Split."""
    nodes = [
        node("Add", "x z", "sum", "add"),
        node("Mul", "sum w", "first", "mul"),
        node("Clip", "first low", "low_only", "clip_low"),
        node("Clip", "first - high", "high_only", "clip_high"),
        node("Split", "first", "part0 part1", "split", axis=1),
        node("Sub", "part0 part1", "difference", "sub"),
        node("Mul", "sum w", "again", "mul2"),
        node("Mean", "low_only high_only again", "mean", "mean"),
    ]
    save(folder, "several", nodes, [info("x", [1, 4, 3]), info("z", [1, 4, 3])],
         [info("first", [1, 4, 3]), info("difference", [1, 2, 3]), info("mean", [1, 4, 3])],
         [weight("w", 1, 4, 3), constant("low", -0.25, np.float32), constant("high", 0.5, np.float32)])  # fmt: skip


def repeated(folder):
    """The same node name twice, which ONNX allows."""
    nodes = [node("Relu", "x", "r", "same"), node("Exp", "r", "y", "same")]
    save(folder, "repeated", nodes, [info("x", [1, 4])], [info("y", [1, 4])])


def wrong(folder):
    """Models that must be refused."""
    x, y = [info("x", [1, 4])], [info("y", [1, 4])]
    save(folder, "unsupported", [node("Det", "x", "y0", "det"), node("Hypot", "y0", "y", "h")], x, y)
    save(folder, "open", [node("Relu", "x", "y")], [info("x", [1, "height"])], [info("y", [1, "height"])])
    save(folder, "invalid", [node("Relu", "nothing", "y", "relu")], x, y)
    save(folder, "constant", [node("Relu", "w", "y")], x, y, [weight("w", 1, 4)])
    save(folder, "run_time_size", [node("NonZero", "x", "y", "nonzero")], x, [info("y", [2, "n"], TensorProto.INT64)])
    bad = [node("Conv", "x w", "y", "bad")]
    save(folder, "bad_shapes", bad, [info("x", [1, 3, 8, 8])], [info("y", [1, 2, 8, 8])], [weight("w", 2, 5, 3, 3)])
    with open(os.path.join(folder, "text.onnx"), "w", encoding="utf-8") as file:
        file.write("This is no model.\n" * 20)
    with open(os.path.join(folder, "layers.onnx"), "rb") as file:
        data = file.read()
    for name, part in {"truncated": data[: len(data) // 2], "empty": b""}.items():
        with open(os.path.join(folder, name + ".onnx"), "wb") as file:
            file.write(part)


if __name__ == "__main__":
    layers(sys.argv[1])
    shapes(sys.argv[1])
    several(sys.argv[1])
    repeated(sys.argv[1])
    wrong(sys.argv[1])
