"""Writes an ONNX network of what fusion windows must not get wrong into argv[1].

A dense block (values read near and far), a split whose halves meet again, branches of element-wise
nodes only, a residual add, a reduction in the middle, a computed weight, one batch norm read twice,
two outputs. Weights are random and seeded.
"""

import sys

import numpy
import onnx
from onnx import helper, numpy_helper

random = numpy.random.default_rng(3)
weights, nodes = [], []


def weight(name, *shape):
    weights.append(numpy_helper.from_array(random.uniform(0.5, 1.5, shape).astype("float32"), name))
    return name


def node(op, name, *inputs, outputs=None, **attributes):
    nodes.append(helper.make_node(op, list(inputs), outputs or [name], name=name, **attributes))
    return outputs or name


def convolution(name, source, inputs, outputs, kernel=1, weights_of=None):
    return node("Conv", name, source, weights_of or weight(name + ".w", outputs, inputs, kernel, kernel),
                kernel_shape=[kernel, kernel], pads=[kernel // 2] * 4)


def norm(name, source, channels):
    return node("BatchNormalization", name, source, *(weight(f"{name}.{part}", channels) for part in "gbmv"))


stem = node("Relu", "stem_relu", norm("stem_bn", convolution("stem", "input", 3, 8, 3), 8))
# A dense block: each concatenation is read by the next layer and by the next concatenation.
dense = stem
for i in range(2):
    inner = node("Relu", f"dense{i}_relu", norm(f"dense{i}_bn", dense, 8 + 8 * i))
    dense = node("Concat", f"dense{i}_cat", dense, convolution(f"dense{i}", inner, 8 + 8 * i, 8, 3), axis=1)
# Halves that meet again, one of them untouched.
low, high = node("Split", "halves", dense, outputs=["low", "high"], axis=1)
high = node("Relu", "high_relu", node("Sigmoid", "high_sigmoid", high))
joined = node("Concat", "joined", high, low, axis=1)
# Element-wise branches only.
left = node("Exp", "left", node("Relu", "left_relu", joined))
sum_ = node("Add", "sum", left, node("Mul", "right", joined, left))
# One batch norm read by two layers; a residual add; the weight of one layer is computed.
normed = norm("twice_bn", convolution("twice", sum_, 24, 8), 8)
computed = node("Mul", "computed", weight("factor.w", 8, 8, 1, 1), weight("factor.f", 8, 1, 1, 1))
branch = node("Relu", "branch_relu", convolution("branch", normed, 8, 8, weights_of=computed))
residual = node("Add", "residual", normed, branch)
pooled = node("GlobalAveragePool", "pooled", residual)
gate = node("Sigmoid", "gate", convolution("gate_conv", node("Relu", "gate_relu", pooled), 8, 8))
gated = node("Mul", "gated", residual, gate)
flat = node("Flatten", "flat", node("GlobalAveragePool", "mean", gated))
node("Gemm", "dense", flat, weight("dense.w", 10, 8), weight("dense.b", 10), transB=1)
node("Relu", "second", node("Exp", "second_exp", gated))

graph = helper.make_graph(
    nodes, "window", [helper.make_tensor_value_info("input", 1, [1, 3, 12, 12])],
    [helper.make_tensor_value_info("dense", 1, [1, 10]), helper.make_tensor_value_info("second", 1, [1, 8, 12, 12])],
    weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=8), sys.argv[1])
