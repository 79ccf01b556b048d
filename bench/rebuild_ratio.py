"""Judged mutants per minute on the example campaign, against rebuilding and rerunning the whole model for
every mutant with TVM's default pipeline in Python, as the original tool does. Both sides run in turn in one
run, one job, on the same targets and images; the baseline is timed on a few rebuilds and not on all.

    python bench/rebuild_ratio.py --mutatenn build/bin/mutatenn --out bench/results
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(os.path.dirname(HERE), "examples", "quickstart")


def example_configuration():
    text = open(os.path.join(EXAMPLE, "campaign.json")).read()
    config = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
    for model in config["models"]:
        model["path"] = os.path.join(EXAMPLE, model["path"])
        model["classes"] = os.path.join(EXAMPLE, model["classes"])
    config["images"] = {key: os.path.join(EXAMPLE, value) for key, value in config["images"].items()}
    config["jobs"] = 1
    return config


def preprocessed(config):
    pre = config["models"][0]["preprocessing"]
    tensors = []
    folder = config["images"]["path"]
    for name in sorted(os.listdir(folder)):
        image = Image.open(os.path.join(folder, name)).convert("RGB")
        scale = pre["resize_short_side"] / min(image.size)
        image = image.resize([int(side * scale) for side in image.size], Image.BILINEAR)
        left, top = [round((side - pre["crop"]) / 2) for side in image.size]
        image = image.crop((left, top, left + pre["crop"], top + pre["crop"]))
        pixels = (numpy.asarray(image, "float32") * pre["scale"] - pre["mean"]) / pre["std"]
        tensors.append(pixels.astype("float32").transpose(2, 0, 1)[None])
    return numpy.stack(tensors)


def baseline(model, images, target, repeat):
    environment = dict(os.environ, TVM_NUM_THREADS="1")
    command = [sys.executable, os.path.join(HERE, "rebuild_baseline.py"), model, images, json.dumps(target), str(repeat)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutatenn", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--mutants", type=int, default=240)
    arguments = parser.parse_args()
    config = example_configuration()
    config["max_mutants"] = arguments.mutants
    with tempfile.TemporaryDirectory() as scratch:
        images = os.path.join(scratch, "images.npy")
        numpy.save(images, preprocessed(config))
        campaign = os.path.join(scratch, "campaign.json")
        json.dump(config, open(campaign, "w"))
        out = os.path.join(scratch, "out")

        from tvm import get_global_func
        host = {"kind": "llvm", "mcpu": str(get_global_func("tvm.codegen.llvm.GetHostCPUName")())}
        targets = [host if d["target"]["mcpu"] == "host" else d["target"] for d in config["devices"]]
        # The baseline before and after the campaign: a machine that others use changes its speed.
        rebuilds = [baseline(config["models"][0]["path"], images, t, 1) for t in targets]
        start = time.perf_counter()
        subprocess.run([arguments.mutatenn, "run", campaign, "--out", out, "--quiet"], check=True,
                       env=dict(os.environ, MUTATENN_PYTHON=sys.executable), stdout=subprocess.DEVNULL)
        ours_s = time.perf_counter() - start
        for runs, target in zip(rebuilds, targets):
            runs += baseline(config["models"][0]["path"], images, target, 1)
        report = json.loads(subprocess.run([arguments.mutatenn, "report", out, "--json", "-"], check=True,
                                           capture_output=True, text=True).stdout)

    # Mutants that needed no run (equivalent, stillborn) are on neither side.
    judged = sum(device["verdict"] in ("killed", "survived", "crashed", "timeout")
                 for mutant in report["models"][0]["mutants"] for device in mutant["devices"].values())
    rebuild_s = [min(run["total_s"] for run in runs) for runs in rebuilds]
    ours_per_minute = judged / ours_s * 60
    baseline_per_minute = 60 / (sum(rebuild_s) / len(rebuild_s))
    result = {
        "what": "judged (mutant, device) pairs per minute on examples/quickstart, one job, cold cache, "
                "against whole-model rebuild and rerun in Python (TVM's default pipeline)",
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": {"cpu": next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                                 if line.startswith("model name")), ""), "cores": os.cpu_count(),
                    "load": os.getloadavg()[0], "system": platform.platform()},
        "versions": {"mutatenn": report["campaign"]["tool_version"], "tvm": report["campaign"]["tvm_version"]},
        "targets": targets,
        "images": len(report["models"][0]["original"]) // len(targets),
        "judged": judged, "ours_s": round(ours_s, 3), "ours_per_minute": round(ours_per_minute, 2),
        "rebuild_runs": rebuilds, "rebuild_s_best": [round(s, 3) for s in rebuild_s],
        "baseline_per_minute": round(baseline_per_minute, 3),
        "summary": {"rebuild_ratio_early_demo": round(ours_per_minute / baseline_per_minute, 2)},
    }
    os.makedirs(arguments.out, exist_ok=True)
    path = os.path.join(arguments.out, "rebuild_ratio.json")
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print(f"ours {ours_per_minute:.1f} a minute, rebuild {baseline_per_minute:.2f} a minute: "
          f"{ours_per_minute / baseline_per_minute:.1f} x  ({path})")


if __name__ == "__main__":
    main()
