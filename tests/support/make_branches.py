"""Writes an ONNX network of what make_tiny.py's has not: branches, concatenation, a difference, padded average
pooling, groups, strides, dilation, softmax inside and at the end, activations of one node each.

    python make_branches.py FILE.onnx [SIZE [CLASSES]]
"""

import sys

import numpy
import onnx
from onnx import helper, numpy_helper


def network(size, classes):
    random = numpy.random.default_rng(7)
    weights, nodes = [], []

    def node(op, name, inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [name + "_out"], name=name, **attributes))
        return name + "_out"

    def weight(name, array):
        weights.append(numpy_helper.from_array(numpy.asarray(array, "float32"), name))
        return name

    def convolution(name, source, inputs, outputs, kernel, **attributes):
        shape = (outputs, inputs // attributes.get("group", 1), kernel, kernel)
        scale = numpy.sqrt(2.0 / numpy.prod(shape[1:]))
        return node("Conv", name, [source, weight(name + ".w", random.standard_normal(shape) * scale),
                                   weight(name + ".b", random.normal(0, 0.2, outputs))],
                    kernel_shape=[kernel, kernel], **attributes)

    first = node("LeakyRelu", "leaky", [convolution("stem", "input", 3, 8, 3, strides=[2, 2], pads=[1, 1, 1, 1])],
                 alpha=0.1)
    grouped = node("Tanh", "tanh", [convolution("grouped", first, 8, 8, 3, group=2, pads=[1, 1, 1, 1])])
    dilated = node("Sigmoid", "sigmoid", [convolution("dilated", first, 8, 8, 3, dilations=[2, 2], pads=[2, 2, 2, 2])])
    average = node("AveragePool", "average", [first], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
    difference = node("Sub", "difference", [grouped, average])
    attention = node("Softmax", "attention", [dilated], axis=1)
    both = node("Concat", "both", [difference, attention], axis=1)
    statistics = [weight("bn." + name, random.uniform(0.5, 1.5, 16)) for name in ("scale", "shift", "mean", "var")]
    both = node("BatchNormalization", "bn", [both, *statistics])
    largest = node("MaxPool", "largest", [both], kernel_shape=[2, 2], strides=[2, 2])
    mean = node("Flatten", "flat", [node("GlobalAveragePool", "mean", [node("Relu", "relu", [largest])])])
    dense = node("Gemm", "fc", [mean, weight("fc.w", random.standard_normal((16, classes))),
                                weight("fc.b", random.normal(0, 0.2, classes))])
    nodes.append(helper.make_node("Softmax", [dense], ["output"], name="softmax", axis=1))
    graph = helper.make_graph(nodes, "branches", [helper.make_tensor_value_info("input", 1, [1, 3, size, size])],
                              [helper.make_tensor_value_info("output", 1, [1, classes])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


if __name__ == "__main__":
    size, classes = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 24), (3, 10)))
    onnx.save(network(size, classes), sys.argv[1])
