"""Judged mutants per minute against rebuilding and rerunning the whole model in Python for every mutant with
TVM's default pipeline, as the original tool does. One core, one device, 20 images, cold cache, kill rule
top1, early and full matrix.

    python bench/rebuild_ratio.py --mutatenn build/bin/mutatenn --out bench/results [--quick]

Side A: graph mutants by seed, each also made as an edit of the ONNX model. A few are rebuilt by the
baseline, which gives its time per mutant and verdicts to compare; all of them are run by onnxruntime, a
third opinion. Side B: code mutants, their time against the same rebuild of the unmodified model, their
verdicts against `run --slow-oracle`. Rebuilds and campaigns take turns: a machine that others use changes
its speed. A campaign's time is its whole wall time, from an empty folder to the last verdict; `*_running`
leaves out what is done once a network, preprocessing and making the original.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile

import numpy
import onnx

import networks
import onnx_edits
import verdicts

GRAPH = [{"preset": "default", "include": ["graph.*"]}]
CODE = [{"preset": "default", "include": ["code.*"]}]
JUDGED = ("killed", "survived", "crashed", "timeout")
DEVICE = "host"


def configuration(model, folder, operators, matrix, mutants):
    return {"models": [model], "images": {"path": folder},
            "devices": [{"name": DEVICE, "target": {"kind": "llvm", "mcpu": "host"}}], "operators": operators,
            "kill": "top1", "matrix": matrix, "timing": "suffix", "top_k": 5, "seed": 1, "max_mutants": mutants,
            "repeats": 1, "floors": 0, "jobs": 1}


def inputs_of(out, model):
    """Names and tensors of a campaign's images, as its networks see them, in its order."""
    store = sqlite3.connect(os.path.join(out, "campaign.db"))
    rows = store.execute("SELECT name, input_file FROM images WHERE model = ? ORDER BY position", (model["name"],))
    names, tensors = [], []
    crop = model["preprocessing"]["crop"]
    for name, file in rows.fetchall():
        names.append(name)
        tensors.append(numpy.fromfile(os.path.join(out, file), "float32").reshape(1, 3, crop, crop))
    store.close()
    return names, numpy.stack(tensors)


class Baseline:
    """Rebuilds of one network on its images, each in a process of its own, one thread."""

    def __init__(self, scratch, images):
        from tvm import get_global_func
        self.target = {"kind": "llvm", "mcpu": str(get_global_func("tvm.codegen.llvm.GetHostCPUName")())}
        self.model = os.path.join(scratch, "edited.onnx")
        self.images = os.path.join(scratch, "images.npy")
        numpy.save(self.images, images)
        self.seconds = []

    def rebuild(self, model):
        onnx.save(model, self.model)
        command = [sys.executable, os.path.join(networks.HERE, "rebuild_baseline.py"), self.model, self.images,
                   json.dumps(self.target)]
        result = json.loads(subprocess.run(command, env=dict(os.environ, TVM_NUM_THREADS="1"), capture_output=True,
                                           text=True, check=True).stdout)
        self.seconds.append({key: round(result[key], 3) for key in ("import_s", "compile_s", "run_s", "total_s")})
        return list(zip(result["labels"], result["margins"]))


def judged(report):
    """The mutants that were run: those that share another one's fates are on neither side."""
    def ran(device):
        return device["verdict"] in JUDGED and not device.get("same_as")

    return [mutant for mutant in report["models"][0]["mutants"] if ran(mutant["devices"][DEVICE])]


def figures(wall_s, stats, report):
    mutants = judged(report)
    once_s = stats["stages"]["images_s"] + stats["stages"]["original_s"]
    counts = {}
    for mutant in report["models"][0]["mutants"]:
        verdict = mutant["devices"][DEVICE]["verdict"]
        counts[verdict] = counts.get(verdict, 0) + 1
    return {"judged": len(mutants), "verdicts": counts, "ours_s": round(wall_s, 3), "once_s": round(once_s, 3),
            "per_minute": round(60 * len(mutants) / wall_s, 2),
            "per_minute_running": round(60 * len(mutants) / (wall_s - once_s), 2), "stats": stats}


def ratios(side, rebuild_s):
    for matrix in ("early", "full"):
        result = side[matrix]
        result["ratio"] = round(result["per_minute"] * rebuild_s / 60, 2)
        result["ratio_running"] = round(result["per_minute_running"] * rebuild_s / 60, 2)
    return side


def graph_side(run, model, mutants, samples, scratch):
    """Side A, and the baseline with the images and the labels of the original by it."""
    original = onnx.load(model["path"])
    wall_s, stats, report = run(GRAPH, "early", mutants)
    names, images = inputs_of(run.out, model)
    early = figures(wall_s, stats, report)
    baseline = Baseline(scratch, images)
    originals = baseline.rebuild(original)
    baseline.seconds.clear()

    def edited(mutant):
        point = mutant["points"][0]
        return onnx_edits.edit(original, mutant["operator"], mutant["parameters"], point["layers"][0], point["variant"])

    entries = judged(report)
    chosen = [entries[(2 * i + 1) * len(entries) // (2 * samples)] for i in range(samples)]
    differ = []
    for i, mutant in enumerate(chosen):
        if i == samples // 2:
            full = figures(*run(GRAPH, "full", mutants))
        differ.append(verdicts.compare(mutant, DEVICE, originals, baseline.rebuild(edited(mutant)), names))
    third = verdicts.onnxruntime_labels(original, images)
    third_differ = [verdicts.compare(mutant, DEVICE, third, verdicts.onnxruntime_labels(edited(mutant), images), names)
                    for mutant in entries]
    seconds = [run["total_s"] for run in baseline.seconds]
    side = {"early": early, "full": full, "rebuilds": list(baseline.seconds), "rebuild_s": min(seconds),
            "verdicts_compared_with_rebuild": len(chosen), "differ_from_rebuild": [d for d in differ if d],
            "verdicts_compared_with_onnxruntime": len(entries), "differ_from_onnxruntime": [d for d in third_differ if d],
            "images_with_small_margin": [name for name, (_, margin) in zip(names, originals)
                                         if margin < verdicts.SMALL_MARGIN]}
    return ratios(side, min(seconds)), baseline


def code_side(run, model, mutants, samples, baseline, oracle):
    original = onnx.load(model["path"])
    baseline.seconds.clear()
    side = {}
    reports = {}
    for matrix in ("early", "full"):
        wall_s, stats, reports[matrix] = run(CODE, matrix, mutants)
        side[matrix] = figures(wall_s, stats, reports[matrix])
        for _ in range(max(1, samples // 2)):
            baseline.rebuild(original)
    side["rebuilds"] = list(baseline.seconds)
    side["rebuild_s"] = min(run["total_s"] for run in baseline.seconds)
    if oracle:
        wall_s, _, slow = run(CODE, "early", mutants, ["--slow-oracle"])
        theirs = {mutant["id"]: mutant["devices"][DEVICE]["verdict"] for mutant in slow["models"][0]["mutants"]}
        ours = judged(reports["early"])
        side["verdicts_compared_with_slow_oracle"] = len(ours)
        side["differ_from_slow_oracle"] = [
            {"place": mutant["place"], "ours": mutant["devices"][DEVICE]["verdict"], "theirs": theirs.get(mutant["id"])}
            for mutant in ours if theirs.get(mutant["id"]) != mutant["devices"][DEVICE]["verdict"]]
        side["slow_oracle_s"] = round(wall_s, 1)
    return ratios(side, side["rebuild_s"])


class Campaigns:
    """Runs campaigns over one network, each from an empty folder."""

    def __init__(self, mutatenn, model, images, out):
        self.mutatenn, self.model, self.images, self.out = mutatenn, model, images, out

    def __call__(self, operators, matrix, mutants, extra=()):
        config = configuration(self.model, self.images, operators, matrix, mutants)
        return networks.campaign(self.mutatenn, config, self.out, extra)


def main():
    parser = networks.arguments_of(__doc__)
    parser.add_argument("--mutatenn", required=True)
    parser.add_argument("--networks", nargs="+", default=networks.NETWORKS, choices=networks.NETWORKS)
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--samples", type=int, default=2, help="rebuilds timed on either side of a network")
    parser.add_argument("--no-oracle", action="store_true", help="leave the slow oracle out (minutes a network)")
    parser.add_argument("--quick", action="store_true", help="one network, few mutants and images; nothing is written")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.networks, arguments.mutants, arguments.images = ["EfficientNet-Lite0"], 12, 4
    networks.use_cores(1)  # both sides: a campaign of one job would use a second one now and then
    results = []
    for name in arguments.networks:
        model = networks.model(name, arguments.shared, arguments.models)
        with tempfile.TemporaryDirectory() as scratch:
            images = networks.image_folder(arguments.shared, arguments.images, os.path.join(scratch, "images"))
            run = Campaigns(arguments.mutatenn, model, images, os.path.join(scratch, "campaign"))
            graph, baseline = graph_side(run, model, arguments.mutants, arguments.samples, scratch)
            code = code_side(run, model, arguments.mutants, arguments.samples, baseline, not arguments.no_oracle)
            target = baseline.target
        results.append({"network": name, "graph": graph, "code": code})
        for side in ("graph", "code"):
            for matrix in ("early", "full"):
                f = results[-1][side][matrix]
                print(f"{name:20} {side:5} {matrix:5} {f['judged']:4} judged in {f['ours_s']:8.2f} s (once {f['once_s']:.2f} s), "
                      f"rebuild {results[-1][side]['rebuild_s']:.2f} s a mutant: {f['ratio']:.1f} x, "
                      f"{f['ratio_running']:.1f} x running", flush=True)
        for key in ("differ_from_rebuild", "differ_from_onnxruntime"):
            print(f"{name:20} {key}: {graph[key]}", flush=True)
        print(f"{name:20} differ_from_slow_oracle: {code.get('differ_from_slow_oracle', 'not run')}", flush=True)
    summary = {}
    for matrix in ("early", "full"):
        for key, figure in (("ratio", ""), ("ratio_running", "_running")):
            values = [result[side][matrix][key] for result in results for side in ("graph", "code")]
            summary[f"rebuild_ratio_{matrix}{figure}_geomean"] = round(networks.geomean(values), 2)
    print(json.dumps(summary))
    what = ("judged mutants a minute, one job, cold cache, whole wall time of a campaign, over whole-model rebuild and "
            f"rerun in Python (TVM's default pipeline) of {arguments.images} images a mutant, one thread; *_running: "
            "without preprocessing and making the original")
    result = networks.record(what)
    result.update({"target": target, "images": arguments.images, "mutants_asked": arguments.mutants,
                   "networks": results, "summary": summary})
    if not arguments.quick:
        networks.write_json(os.path.join(arguments.out, "rebuild_ratio.json"), result)


if __name__ == "__main__":
    main()
