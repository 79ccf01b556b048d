"""Outputs by onnxruntime of tiny.onnx with its Clips edited as the example's own operators do it.

    python edit_clips.py FOLDER  ->  {edit: {image: outputs}}; edits: "clip1 5", "clip2 5", "both 5" (bound 5
    instead of 6), "clip1 min", "clip2 min" (no lower bound), "relu" (the ReLU left out)
"""

import json
import os
import sys

import numpy
import onnx
from make_tiny import preprocessed, scores
from onnx import helper, numpy_helper


def edited(path, edit):
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(numpy.asarray(5.0, "float32"), "five"))
    for node in model.graph.node:
        if edit.endswith("5") and node.op_type == "Clip" and (node.name in edit or "both" in edit):
            node.input[2] = "five"
        if edit == f"{node.name} min":
            node.CopyFrom(helper.make_node("Min", [node.input[0], node.input[2]], node.output))
        if edit == "relu" and node.op_type == "Relu":
            node.CopyFrom(helper.make_node("Identity", node.input, node.output))
    return model.SerializeToString()


def main():
    folder = sys.argv[1]
    images = preprocessed(folder)
    result = {}
    for edit in ("clip1 5", "clip2 5", "both 5", "clip1 min", "clip2 min", "relu"):
        model = edited(os.path.join(folder, "tiny.onnx"), edit)
        result[edit] = scores(model, images)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
