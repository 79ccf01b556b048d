"""Every graph mutant of a campaign against the same edit of its ONNX model, run by onnxruntime on the campaign's
own preprocessed images.

    python compare_onnx.py CAMPAIGN_FOLDER  ->  {"compared": {operator: mutants}, "without": {operator: mutants},
        "states": {state: mutants}, "nan": images, "like_original": mutants, "differ": ["..."]}

The campaign has `matrix: full` and `top_k` of all classes, so that its store holds every score. A score agrees
within 1e-4 of the largest one and 1e-3 of itself, and where both are not finite; where the edit rounds in the
midst of the network, both bounds are 30 times as large (a rounding that falls the other way is a whole step). An image whose scores are NaN is counted and not compared:
what becomes of a NaN in ReLU or max pooling is the compiler's choice, and TVM's often lose it. A mutant is like
the original where no image tells its edit from it within the same bounds: of those the comparison says little.
"""

import json
import os
import pathlib
import sqlite3
import sys

import numpy
import onnx
import onnxruntime

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import onnx_edits

ROUNDING = ("ceil", "floor", "round")


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def scores_of(top, classes):
    scores = numpy.full(classes, numpy.nan)
    for label, score in top:
        scores[label] = numpy.nan if score is None else float(score)
    return scores


def difference(ours, theirs, loose):
    """"" where they agree, else what is wrong."""
    finite = numpy.isfinite(theirs)
    if not numpy.array_equal(finite, numpy.isfinite(ours)):
        return f"{numpy.isfinite(ours).sum()} of our scores are finite, {finite.sum()} of theirs"
    if not finite.any():
        return ""
    bound = loose * (1e-4 * numpy.abs(theirs[finite]).max() + 1e-3 * numpy.abs(theirs[finite]))
    over = numpy.abs(ours[finite] - theirs[finite]) / bound
    return "" if over.max() <= 1 else f"{over.max():.1f} times the bound"


def main():
    folder = sys.argv[1]
    store = sqlite3.connect(os.path.join(folder, "campaign.db"))
    result = {"compared": {}, "without": {}, "states": {}, "nan": 0, "like_original": 0, "differ": []}
    for name, path in store.execute("SELECT name, path FROM models").fetchall():
        original = onnx.load(path)
        [tensor] = [value for value in original.graph.input
                    if value.name not in {initializer.name for initializer in original.graph.initializer}]
        shape = [dim.dim_value or 1 for dim in tensor.type.tensor_type.shape.dim]
        images = {image: numpy.fromfile(os.path.join(folder, file), "float32").reshape(shape) for image, file in
                  store.execute("SELECT name, input_file FROM images WHERE model = ?", (name,)).fetchall()}
        plain = session_of(original)
        unchanged = {image: plain.run(None, {tensor.name: data})[0].reshape(-1).astype("float64")
                     for image, data in images.items()}
        rows = store.execute(
            "SELECT m.id, m.op_id, m.use_json, m.points_json, m.place, b.state, b.reason FROM mutants m LEFT JOIN "
            "builds b ON b.model = m.model AND b.mutant = m.id WHERE m.model = ? AND m.selected", (name,)).fetchall()
        for mutant, operator, use, points, place, state, reason in rows:
            result["states"][state] = result["states"].get(state, 0) + 1
            if state == "stillborn":
                result["differ"].append(f"{place}: stillborn: {reason}")
            [point], parameters = json.loads(points), json.loads(use)["parameters"]
            try:
                edited = onnx_edits.edit(original, operator, parameters, point["layers"][0], point["variant"])
            except onnx_edits.NoCounterpart:
                result["without"][operator] = result["without"].get(operator, 0) + 1
                continue
            fates = store.execute("SELECT image, ending, top_json FROM fates WHERE model = ? AND mutant = ?",
                                  (name, mutant)).fetchall()
            session = session_of(edited)
            result["compared"][operator] = result["compared"].get(operator, 0) + bool(fates)
            told = not fates
            for image, ending, top in fates:
                theirs = session.run(None, {tensor.name: images[image]})[0].reshape(-1).astype("float64")
                if numpy.isnan(theirs).any():
                    result["nan"] += 1
                    told = True
                    continue
                told = told or bool(difference(unchanged[image], theirs, 1))
                loose = 30 if parameters.get("operation") in ROUNDING else 1
                if operator == "graph.arithmetic" and parameters["to"][point["variant"]] in ("divide", "power"):
                    loose = 100  # quotients of numbers near 0 carry every rounding on, much enlarged
                wrong = ending if ending != "ok" else difference(
                    scores_of(json.loads(top), theirs.size), theirs, loose)
                if wrong:
                    result["differ"].append(f"{place} variant {point['variant']} on {image}: {wrong}")
            result["like_original"] += not told
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
