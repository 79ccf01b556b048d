"""Verdicts by other means: labels by TVM's default pipeline or by onnxruntime, of graph mutants as edits of the
ONNX model (onnx_edits.py), and the comparison with ours."""

import re

import numpy

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
