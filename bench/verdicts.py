"""Verdicts by other means: graph mutants as edits of the ONNX model, labels by TVM's default pipeline or by
onnxruntime, and the comparison with ours."""

import re

import numpy
import onnx
from onnx import helper

SMALL_MARGIN = 1e-4  # of the largest output: below it another order of additions may change a label


def label_and_margin(output):
    """The first label (larger first, NaN last, ties by lower index) and the margin to the second score,
    over the largest finite output in size."""
    scores = numpy.asarray(output, "float64").reshape(-1)
    ranked = numpy.where(numpy.isnan(scores), -numpy.inf, scores)
    order = numpy.argsort(-ranked, kind="stable")
    finite = numpy.abs(scores[numpy.isfinite(scores)])
    largest = finite.max() if finite.size else 0
    with numpy.errstate(invalid="ignore"):
        margin = ranked[order[0]] - ranked[order[1]]
    return int(order[0]), float(margin / largest) if largest > 0 and numpy.isfinite(margin) else 0.0


def _ranks(model):
    inferred = onnx.shape_inference.infer_shapes(model)
    values = [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in values}
    ranks.update({tensor.name: len(tensor.dims) for tensor in model.graph.initializer})
    return ranks


def edit(model, operator, parameters, layer):
    """A copy of the model with a graph mutant's change at the node named `layer`."""
    mutant = onnx.ModelProto()
    mutant.CopyFrom(model)
    nodes = mutant.graph.node
    [at] = [i for i, node in enumerate(nodes) if node.name == layer]
    node = nodes[at]
    if operator == "graph.relu_to_sigmoid":
        assert node.op_type in ("Relu", "Clip"), node.op_type
        node.CopyFrom(helper.make_node("Sigmoid", node.input[:1], node.output, name=layer))
    elif operator == "graph.add_to_subtract":
        assert node.op_type in ("Add", "Sum") and len(node.input) == 2, node
        node.op_type = "Sub"
    else:
        argument = parameters["arg"]
        before, made = node.input[argument], layer + "_mutated"
        if operator == "graph.exp_input":
            change = helper.make_node("Exp", [before], [made], name=made)
        else:
            assert operator == "graph.transpose_input", operator
            axes = list(range(_ranks(model)[before]))
            axes[-2:] = [axes[-1], axes[-2]]
            change = helper.make_node("Transpose", [before], [made], name=made, perm=axes)
        node.input[argument] = made
        nodes.insert(at, change)
    return mutant


def onnxruntime_labels(model, images):
    """One (label, margin) an image."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return [label_and_margin(session.run(None, {name: image})[0]) for image in images]


def compare(entry, device, originals, mutants, names):
    """Our verdict on a mutant against labels by other means. None when equal; else what differs, `excused`
    when only images decide that the original itself hardly decides (its margin is small)."""
    ours = entry["devices"][device]
    changed = [i for i, (before, after) in enumerate(zip(originals, mutants)) if before[0] != after[0]]
    theirs = "killed" if changed else "survived"
    if ours["verdict"] == theirs:
        return None
    small = {i for i, (_, margin) in enumerate(originals) if margin < SMALL_MARGIN}
    if ours["verdict"] == "killed":
        at = re.search(r" on (.*)$", ours["reason"] or "")
        excused = bool(at) and at.group(1) in names and names.index(at.group(1)) in small
    else:
        excused = ours["verdict"] == "survived" and set(changed) <= small
    return {"place": entry["place"], "ours": ours["verdict"], "reason": ours["reason"], "theirs": theirs,
            "images": [names[i] for i in changed], "excused": excused}
