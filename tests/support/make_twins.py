"""Writes twins.onnx into the folder of a tiny campaign: three layers that share one kernel.

    python make_twins.py FOLDER  ->  {"": {image: outputs}, "relu1": ..., "relu2": ..., "all": ...}

by onnxruntime: of the network, of the same with 1 added to what one ReLU gives, and to what all three give.
The images are those of campaign.json, preprocessed as make_tiny.py does it.
"""

import json
import os
import sys

import numpy
import onnx
from make_tiny import CLASSES, SIZE, preprocessed, scores
from onnx import helper, numpy_helper

TWINS = ("relu1", "relu2", "relu3")


def network(raised):
    random = numpy.random.default_rng(3)
    weights = [numpy_helper.from_array(numpy.asarray(1.0, "float32"), "one")]
    nodes = []

    def weight(name, shape, scale):
        weights.append(numpy_helper.from_array((random.standard_normal(shape) * scale).astype("float32"), name))
        return name

    value = "input"
    for i, relu in enumerate(("relu0",) + TWINS):
        inputs = 3 if i == 0 else 8
        name = weight(f"w{i}", (8, inputs, 3, 3), numpy.sqrt(2 / (9 * inputs)))
        nodes.append(helper.make_node("Conv", [value, name], [f"conv{i}_out"], name=f"conv{i}", pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"conv{i}_out"], [f"{relu}_out"], name=relu))
        value = f"{relu}_out"
        if relu in raised:
            nodes.append(helper.make_node("Add", [value, "one"], [f"{relu}_raised"], name=f"{relu}_plus"))
            value = f"{relu}_raised"
    nodes.append(helper.make_node("GlobalAveragePool", [value], ["pool_out"], name="pool"))
    nodes.append(helper.make_node("Flatten", ["pool_out"], ["flat_out"], name="flat"))
    weight("fc", (8, CLASSES), 1)
    nodes.append(helper.make_node("MatMul", ["flat_out", "fc"], ["output"], name="dense"))
    graph = helper.make_graph(
        nodes, "twins", [helper.make_tensor_value_info("input", 1, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output", 1, [1, CLASSES])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def main():
    folder = sys.argv[1]
    onnx.save(network(()), os.path.join(folder, "twins.onnx"))
    images = preprocessed(folder)
    result = {}
    for key, raised in [("", ()), ("all", TWINS)] + [(relu, (relu,)) for relu in TWINS]:
        result[key] = scores(network(raised).SerializeToString(), images)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
