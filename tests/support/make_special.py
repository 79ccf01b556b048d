"""Writes absorbed.onnx and ratio.onnx into the folder of a tiny campaign: networks of which one node shows whether
a compiler takes float32 for real numbers: x + 2**20 - 2**20 rounds x to eighths, x / x is NaN where x is 0.

    python make_special.py FOLDER  ->  {"rounded": the largest |x + 2**20 - 2**20 - x| over the images,
                                        "labels": on how many images that gives another first label,
                                        "zeros": how many of the x are 0}

by onnxruntime and numpy. The images are those of campaign.json, preprocessed as make_tiny.py does it.
"""

import json
import os
import sys

import numpy
import onnx
import onnxruntime
from make_tiny import CLASSES, SIZE, preprocessed, scores
from onnx import helper, numpy_helper

LARGE = numpy.float32(2**20)


def network(outputs, special):
    random = numpy.random.default_rng(9)
    weights = [numpy_helper.from_array(numpy.asarray(LARGE), "large")]
    nodes = []

    def weight(name, shape, scale):
        weights.append(numpy_helper.from_array((random.standard_normal(shape) * scale).astype("float32"), name))
        return name

    def convolution(i, source, inputs):
        w = weight(f"w{i}", (8, inputs, 3, 3), numpy.sqrt(2 / (9 * inputs)))
        nodes.append(helper.make_node("Conv", [source, w], [f"conv{i}_out"], name=f"conv{i}", pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"conv{i}_out"], [f"relu{i}_out"], name=f"relu{i}"))
        return f"relu{i}_out"

    value = convolution(1, convolution(0, "input", 3), 8)
    if special == "absorbed":
        nodes.append(helper.make_node("Add", [value, "large"], ["plus_out"], name="plus"))
        nodes.append(helper.make_node("Sub", ["plus_out", "large"], ["special_out"], name="minus"))
        value = "special_out"
    if special == "ratio":
        nodes.append(helper.make_node("Div", [value, value], ["special_out"], name="ratio"))
        value = "special_out"
    value = convolution(2, value, 8)
    nodes.append(helper.make_node("GlobalAveragePool", [value], ["pool_out"], name="pool"))
    nodes.append(helper.make_node("Flatten", ["pool_out"], ["flat_out"], name="flat"))
    weight("fc", (8, CLASSES), 1)
    nodes.append(helper.make_node("MatMul", ["flat_out", "fc"], ["output"], name="dense"))
    graph = helper.make_graph(
        nodes, "absorbed", [helper.make_tensor_value_info("input", 1, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info(name, 1, None) for name in outputs], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def main():
    folder = sys.argv[1]
    for special in ("absorbed", "ratio"):
        model = network(["output"], special)
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("output", 1, [1, CLASSES]))
        onnx.save(model, os.path.join(folder, special + ".onnx"))
    images = preprocessed(folder)
    session = onnxruntime.InferenceSession(network(["relu1_out"], "").SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    rounded, zeros = 0.0, 0
    for x in images.values():
        value = session.run(None, {"input": x})[0]
        rounded = max(rounded, float(numpy.abs((value + LARGE) - LARGE - value).max()))
        zeros += int((value == 0).sum())
    plain, real = (scores(network(["output"], special).SerializeToString(), images) for special in ("absorbed", ""))
    labels = sum(int(numpy.argmax(plain[name]) != numpy.argmax(real[name])) for name in images)
    json.dump({"rounded": rounded, "labels": labels, "zeros": zeros}, sys.stdout)


if __name__ == "__main__":
    main()
