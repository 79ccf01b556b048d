"""Writes tiny.onnx, six images with labels, classes and campaign.json into a folder.

The weights are random and seeded; the last bias is set so that the mean output over the images is zero,
which makes the labels vary from image to image.
"""

import json
import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from PIL import Image

SIZE = 24
CLASSES = 10


def tensor(image):
    """What campaign.json's preprocessing makes of an image."""
    small = image.resize((SIZE * 40 // 32, SIZE), Image.BILINEAR)
    left = round((small.size[0] - SIZE) / 2)
    small = small.crop((left, 0, left + SIZE, SIZE))
    return ((numpy.asarray(small, "float32") - 127) / 128).transpose(2, 0, 1)[None]


def preprocessed(folder):
    """Image name -> its tensor."""
    images = os.path.join(folder, "images")
    return {name: tensor(Image.open(os.path.join(images, name))) for name in sorted(os.listdir(images))}


def scores(model, images):
    """Image name -> what a serialised model gives, by onnxruntime."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return {name: [float(v) for v in session.run(None, {"input": x})[0].reshape(-1)] for name, x in images.items()}


def network(bias):
    random = numpy.random.default_rng(5)
    weights, nodes = [], []

    def weight(name, array):
        weights.append(numpy_helper.from_array(numpy.asarray(array, "float32"), name))
        return name

    def convolution(name, source, inputs, outputs, kernel, group=1, stride=1):
        shape = (outputs, inputs // group, kernel, kernel)
        scale = numpy.sqrt(2.0 / (shape[1] * kernel * kernel))
        weight(name + ".w", random.standard_normal(shape) * scale)
        nodes.append(helper.make_node("Conv", [source, name + ".w"], [name + "_out"], name=name, group=group,
                                      kernel_shape=[kernel, kernel], strides=[stride, stride],
                                      pads=[kernel // 2] * 4))
        for suffix, values in (("scale", random.uniform(0.5, 1.5, outputs)), ("shift", random.normal(0, 0.3, outputs)),
                               ("mean", random.normal(0, 0.3, outputs)), ("var", random.uniform(0.5, 1.5, outputs))):
            weight(f"{name}.{suffix}", values)
        nodes.append(helper.make_node("BatchNormalization",
                                      [name + "_out"] + [f"{name}.{s}" for s in ("scale", "shift", "mean", "var")],
                                      [name + "_bn_out"], name=name + "_bn"))
        return name + "_bn_out"

    def relu6(name, source):
        nodes.append(helper.make_node("Clip", [source, "zero", "six"], [name + "_out"], name=name))
        return name + "_out"

    weight("zero", 0.0)
    weight("six", 6.0)
    first = relu6("clip1", convolution("conv1", "input", 3, 8, 3))
    middle = relu6("clip2", convolution("depthwise", first, 8, 8, 3, group=8))
    second = convolution("project", middle, 8, 8, 1)
    nodes.append(helper.make_node("Add", [first, second], ["add_out"], name="add"))
    nodes.append(helper.make_node("MaxPool", ["add_out"], ["pool_out"], name="pool", kernel_shape=[3, 3],
                                  strides=[2, 2], pads=[1, 1, 1, 1]))
    last = convolution("conv2", "pool_out", 8, 16, 3)
    nodes.append(helper.make_node("Relu", [last], ["relu_out"], name="relu"))
    nodes.append(helper.make_node("GlobalAveragePool", ["relu_out"], ["mean_out"], name="mean"))
    nodes.append(helper.make_node("Flatten", ["mean_out"], ["flat_out"], name="flat"))
    weight("fc.w", random.standard_normal((CLASSES, 16)))
    weight("fc.b", bias)
    nodes.append(helper.make_node("Gemm", ["flat_out", "fc.w", "fc.b"], ["output"], name="fc", transB=1))
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("input", 1, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("output", 1, [1, CLASSES])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def main():
    folder = sys.argv[1]
    os.makedirs(os.path.join(folder, "images"), exist_ok=True)
    random = numpy.random.default_rng(11)
    inputs = []
    for i in range(6):
        # Smooth blobs of different colours and places: close enough to photographs for resizing.
        y, x = numpy.mgrid[0:32, 0:40]
        pixels = numpy.zeros((32, 40, 3))
        for _ in range(4):
            centre, width, colour = random.uniform(0, 36, 2), random.uniform(4, 10), random.uniform(0, 255, 3)
            pixels += numpy.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / width ** 2)[..., None] * colour
        image = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
        image.save(os.path.join(folder, "images", f"image{i}.png"))
        inputs.append(tensor(image))

    def outputs(model):
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return numpy.concatenate([session.run(None, {"input": x})[0] for x in inputs])

    centred = -outputs(network(numpy.zeros(CLASSES))).mean(axis=0)
    model = network(centred)
    onnx.save(model, os.path.join(folder, "tiny.onnx"))
    result = outputs(model)
    numpy.save(os.path.join(folder, "expected.npy"), result)
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump({f"image{i}.png": [float(v) for v in row] for i, row in enumerate(result)}, f)
    with open(os.path.join(folder, "labels.tsv"), "w") as f:
        f.write("file\tclass\tname\n")
        for i, row in enumerate(result):
            f.write(f"image{i}.png\t{int(row.argmax())}\tclass {int(row.argmax())}\n")
    with open(os.path.join(folder, "classes.txt"), "w") as f:
        f.writelines(f"class {i}\n" for i in range(CLASSES))
    config = {
        "models": [{"name": "tiny", "path": "tiny.onnx", "classes": "classes.txt",
                    "preprocessing": {"resize_short_side": SIZE, "crop": SIZE, "scale": 1.0,
                                      "mean": [127, 127, 127], "std": [128, 128, 128]}}],
        "images": {"path": "images", "truth": "labels.tsv"},
        "devices": [{"name": "x86-64", "target": {"kind": "llvm", "mcpu": "x86-64"}},
                    {"name": "host", "target": {"kind": "llvm", "mcpu": "host"}}],
        "operators": [
            {"id": "graph.activation", "from": ["relu", "relu6"], "to": ["sigmoid"]}, {"id": "graph.arithmetic", "from": ["add"], "to": ["subtract"]},
            {"id": "graph.insert_operation", "operation": "transpose", "functions": ["conv2d"], "arg": 0},
            {"id": "graph.insert_operation", "operation": "exp", "functions": ["conv2d", "dense"], "arg": 0},
            {"id": "code.store_type", "to": "float16"}, {"id": "code.store_value", "value": 0.5}, {"id": "code.relation", "from": ["lt"], "to": ["le"]},
            {"id": "code.threshold", "relations": ["lt"], "value": 0.5}, {"id": "code.min_max"},
            {"id": "lowered.loop", "change": ["last_dropped"]}],
        "kill": "top1", "matrix": "early", "timing": "suffix", "top_k": CLASSES, "seed": 1,
        "max_mutants": 60, "memory_budget_mb": 512, "jobs": 2}
    with open(os.path.join(folder, "campaign.json"), "w") as f:
        json.dump(config, f, indent=1)


if __name__ == "__main__":
    main()
