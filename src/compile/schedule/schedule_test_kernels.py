"""Prints, as JSON, the fused kernels of an ONNX model or of generated convolutions, for schedule tests.

usage: schedule_test_kernels.py MODEL.onnx | --generated | --shapes [EVERY]
--shapes takes the distinct shapes of the benchmark networks (SqueezeNet, ResNet50, DenseNet121, Inception v2,
ShuffleNet, AlexNet, MobileNetV2, EfficientNet-Lite0) from network_shapes.json, all or every n-th:
convolutions as [ic, oc, height, width, kernel, stride, pads, groups], pools as [kind, channels, height, width,
kernel, stride, pads], dense as [k, n].
Output: [{"name", "calls", "constants": [parameter index], "function": TVM JSON}, ...]. The graph is put
in the form that the importer of the product gives: batch norm as multiply and add of (1,C,1,1)
constants, biases shaped, Gemm weights transposed.
"""
import json
import os
import sys

import numpy as np
import onnx
import tvm
import tvm.relax.frontend.onnx.onnx_frontend as frontend
from onnx import helper, numpy_helper
from tvm import relax, tirx
from tvm.relax.frontend.onnx import from_onnx

stock_converters = frontend._get_convert_map()


class Clip(frontend.OnnxOpConverter):
    @classmethod
    def _impl_v13(cls, builder, inputs, attributes, params):
        low, high = (x.value.numpy().item() for x in inputs[1:3])
        return relax.op.clip(inputs[0], low, high)


frontend._get_convert_map = lambda: {**stock_converters, "Clip": Clip}


def tidy(model):
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes, count = [], 0

    def constant(array):
        nonlocal count
        count += 1
        name = f"__constant{count}"
        model.graph.initializer.append(numpy_helper.from_array(array.astype("float32"), name))
        return name

    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:  # weights stored as float16
            weights[node.output[0]] = weights[node.input[0]].astype("float32")
            model.graph.initializer.append(numpy_helper.from_array(weights[node.output[0]], node.output[0]))
        elif node.op_type == "BatchNormalization":
            gamma, beta, mean, variance = (weights[i].astype("float64") for i in node.input[1:5])
            epsilon = ([a.f for a in node.attribute if a.name == "epsilon"] or [1e-5])[0]
            scale = gamma / np.sqrt(variance + epsilon)
            shift = beta - mean * scale
            middle = node.output[0] + "__scaled"
            nodes.append(helper.make_node("Mul", [node.input[0], constant(scale.reshape(1, -1, 1, 1))], [middle]))
            nodes.append(helper.make_node("Add", [middle, constant(shift.reshape(1, -1, 1, 1))], [node.output[0]]))
        elif node.op_type == "Conv" and len(node.input) > 2:
            plain = onnx.NodeProto()
            plain.CopyFrom(node)
            bias = weights[plain.input.pop()].reshape(1, -1, 1, 1)
            plain.output[0] += "__plain"
            nodes.append(plain)
            nodes.append(helper.make_node("Add", [plain.output[0], constant(bias)], [node.output[0]]))
        elif node.op_type == "Gemm" and any(a.name == "transB" and a.i == 1 for a in node.attribute):
            product = node.output[0] + "__product"
            nodes.append(helper.make_node("MatMul", [node.input[0], constant(weights[node.input[1]].T.copy())], [product]))
            nodes.append(helper.make_node("Add", [product, node.input[2]], [node.output[0]]))
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def fuse(module):
    transform = relax.transform
    for made in [transform.CanonicalizeBindings(), transform.DeadCodeElimination(), transform.LegalizeOps(),
                 transform.AnnotateTIROpPattern(), transform.FuseOps(), transform.FuseTIR(),
                 transform.DeadCodeElimination()]:
        module = made(module)
    return module


def kernels(module, prefix=""):
    constants, calls = {}, {}

    def visit(node):
        if isinstance(node, relax.Call) and node.op == tvm.ir.Op.get("relax.call_tir"):
            name = node.args[0].name_hint
            here = {i for i, a in enumerate(node.args[1].fields) if isinstance(a, tvm.ir.GenericConst)}
            constants[name] = constants.get(name, here) & here
            calls[name] = calls.get(name, 0) + 1

    for function in module.functions.values():
        if isinstance(function, relax.Function):
            relax.analysis.post_order_visit(function, visit)
    return [
        {"name": prefix + variable.name_hint, "calls": calls.get(variable.name_hint, 0),
         "constants": sorted(constants.get(variable.name_hint, [])), "function": tvm.ir.save_json(function)}
        for variable, function in module.functions.items() if isinstance(function, tirx.PrimFunc)
    ]


def convolution(ic, oc, height, width, kernel, stride, groups, epilogue, pads=None):
    builder = relax.BlockBuilder()
    x = relax.Var("x", relax.TensorType((1, ic, height, width), "float32"))
    random = np.random.default_rng(0)
    with builder.function("main", [x]):
        with builder.dataflow():
            weight = relax.const(random.standard_normal((oc, ic // groups, kernel, kernel)).astype("float32"))
            y = builder.emit(relax.op.nn.conv2d(x, weight, strides=stride,
                                           padding=pads or kernel // 2, groups=groups))
            shift = relax.const(random.standard_normal((1, oc, 1, 1)).astype("float32"))
            if epilogue:
                y = builder.emit(relax.op.add(builder.emit(relax.op.multiply(y, shift)), shift))
                y = builder.emit(relax.op.clip(y, 0, 6))
            result = builder.emit_output(y)
        builder.emit_func_output(result)
    return builder.get()


def single(shapes, make):
    """A module of one function that computes make(*inputs) of the given shapes."""
    builder = relax.BlockBuilder()
    inputs = [relax.Var(f"x{i}", relax.TensorType(shape, "float32")) for i, shape in enumerate(shapes)]
    with builder.function("main", inputs):
        with builder.dataflow():
            result = builder.emit_output(make(*inputs))
        builder.emit_func_output(result)
    return builder.get()


def generated():
    """Convolutions as (ic, oc, height, width, kernel, stride, groups, epilogue), and other operators."""
    made = []
    shapes = [
        (3, 8, 15, 15, 3, 2, 1, True), (4, 12, 13, 9, 3, 1, 1, False), (8, 16, 7, 7, 1, 1, 1, True),
        (8, 16, 14, 14, 5, 2, 1, True), (5, 7, 11, 11, 5, 1, 1, True), (16, 24, 9, 9, 1, 2, 1, False),
        (8, 8, 17, 17, 3, 1, 2, True), (12, 24, 14, 14, 1, 1, 4, False), (16, 16, 13, 13, 3, 1, 16, True),
        (16, 16, 15, 15, 5, 2, 16, True), (6, 6, 19, 19, 3, 2, 6, False), (32, 48, 1, 1, 1, 1, 1, True),
        (16, 20, 5, 6, 3, 1, 1, True), (16, 32, 28, 28, 3, 1, 1, True), (16, 64, 1, 31, 1, 1, 1, True),
        (16, 32, 6, 23, 3, 1, 1, False), (48, 330, 5, 13, 1, 1, 1, True), (8, 250, 6, 11, 3, 1, 1, False),
        (3, 16, 9, 45, 3, 2, 1, True), (3, 24, 11, 39, 3, 2, 1, False, [0, 0, 0, 0]),
    ]
    for shape in shapes:
        made += kernels(fuse(convolution(*shape)), "x".join(map(str, shape)) + ":")
    image, op = (1, 6, 13, 15), relax.op
    others = {
        "softmax": ([(1, 50)], lambda x: op.nn.softmax(x)),
        "max_pool": ([image], lambda x: op.nn.max_pool2d(x, (3, 3), (2, 2), (1, 1, 1, 1))),
        "avg_pool": ([image], lambda x: op.nn.avg_pool2d(x, (2, 2), (2, 2))),
        "mean": ([image], lambda x: op.mean(x, [2, 3], keepdims=True)),
        "concatenate": ([image, image], lambda x, y: op.concat([x, y], axis=1)),
        "transpose": ([(12, 20)], lambda x: op.permute_dims(x)),
        "matmul": ([(1, 40), (40, 24)], lambda x, y: op.matmul(x, y)),
        "matmul_rows": ([(5, 40), (40, 24)], lambda x, y: op.matmul(x, y)),
        "matmul_batch": ([(3, 5, 16), (3, 16, 24)], lambda x, y: op.matmul(x, y)),
        "sum_to_scalar": ([(4, 5)], lambda x: op.sum(x)),
    }
    for name, (inputs, make) in others.items():
        made += kernels(fuse(single(inputs, make)), name + ":")
    return made


def shaped(every):
    """Kernels of the shapes in the table, each with an epilogue that alternates with the table's order."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "network_shapes.json")) as file:
        table = json.load(file)
    made, op = [], relax.op
    for i, (ic, oc, height, width, kernel, stride, pads, groups) in enumerate(table["convolutions"]):
        if i % every == 0:
            name = f"{ic}x{oc}x{height}x{width}x{kernel}x{stride}x{groups}:"
            made += kernels(fuse(convolution(ic, oc, height, width, kernel, stride, groups, i % 4 != 3, pads)), name)
    for i, (kind, channels, height, width, kernel, stride, pads) in enumerate(table["pools"]):
        if i % every == 0:
            window = {"pool_size": (kernel, kernel), "strides": (stride, stride), "padding": pads}
            make = {"MaxPool": lambda x: op.nn.max_pool2d(x, **window),
                    "AveragePool": lambda x: op.nn.avg_pool2d(x, **window),
                    "Mean": lambda x: op.mean(x, [2, 3], keepdims=True),
                    "LRN": lambda x: op.nn.avg_pool3d(op.expand_dims(op.multiply(x, x), 1), (5, 1, 1), (1, 1, 1),
                                                      (2, 0, 0, 2, 0, 0), count_include_pad=True)}[kind]  # fmt: skip
            made += kernels(fuse(single([(1, channels, height, width)], make)), f"{kind} {channels}x{height}x{width}:")
    for i, (k, n) in enumerate(table["dense"]):
        if i % every == 0:
            builder = relax.BlockBuilder()
            x = relax.Var("x", relax.TensorType((1, k), "float32"))
            with builder.function("main", [x]):
                with builder.dataflow():
                    product = builder.emit(op.matmul(x, relax.const(np.zeros((k, n), "float32"))))
                    result = builder.emit_output(op.add(product, relax.const(np.zeros((1, n), "float32"))))
                builder.emit_func_output(result)
            made += kernels(fuse(builder.get()), f"dense {k}x{n}:")
    return made


if __name__ == "__main__":
    source = sys.argv[1]
    if source == "--generated":
        result = generated()
    elif source == "--shapes":
        result = shaped(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    else:
        result = kernels(fuse(from_onnx(tidy(onnx.load(source)), keep_params_in_input=False)))
    json.dump(result, sys.stdout)
