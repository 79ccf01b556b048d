"""What the drivers share: the networks with their preprocessing, the images, a campaign run and timed, and
the record of machine and versions that every result carries."""

import argparse
import datetime
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGENET = {"resize_short_side": 256, "crop": 224, "channels": "RGB", "layout": "NCHW", "scale": 1 / 255,
            "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
MADE = {"ResNet50": "resnet50", "DenseNet121": "densenet121"}
TRAINED = {"MobileNetV2": "mobilenetv2", "EfficientNet-Lite0": "efficientnet_lite0"}
NETWORKS = [*MADE, *TRAINED]


def default_shared():
    return os.path.join(os.path.dirname(os.path.dirname(HERE)), "shared")


def default_models():
    """Where networks with random weights are kept between runs."""
    return os.path.join(tempfile.gettempdir(), "mutatenn-bench-models")


def arguments_of(description):
    """A parser with the arguments that all drivers take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="the folder that results are written to")
    parser.add_argument("--shared", default=default_shared(), help="the folder with models/ and images/")
    parser.add_argument("--models", default=default_models(), help="where networks with random weights are kept")
    return parser


def geomean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def made(light, shared, models):
    """The file of a network with random weights, made once, from a fixed seed."""
    path = os.path.join(models, light + ".onnx")
    if not os.path.exists(path):
        os.makedirs(models, exist_ok=True)
        aside = path + ".new"
        subprocess.run([sys.executable, os.path.join(shared, "models", "make_random_weights.py"),
                        "--light", light, "--synthetic", "-o", aside], check=True)
        os.replace(aside, path)
    return path


def model(name, shared, models):
    """An entry of a configuration's `models`."""
    if name in TRAINED:
        path = os.path.join(shared, "models", TRAINED[name] + ".onnx")
        manifest = json.load(open(os.path.join(shared, "models", "manifest.json")))
        pre = next(m for m in manifest["models"] if m["file"] == os.path.basename(path))["preprocessing"]
        return {"name": name, "path": path,
                "preprocessing": {"resize_short_side": pre["resize_short_side"], "crop": pre["crop_size"],
                                  "channels": pre["channel_order"], "layout": pre["layout"], "scale": pre["scale"],
                                  "mean": pre["mean"], "std": pre["std"]}}
    return {"name": name, "path": made(MADE[name], shared, models), "preprocessing": IMAGENET}


def image_folder(shared, count, folder):
    """`count` images of imagenet-100, evenly spread, copied into `folder`."""
    source = os.path.join(shared, "images", "imagenet-100")
    names = sorted(name for name in os.listdir(source) if name.endswith(".jpg"))
    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        shutil.copy(os.path.join(source, names[i * len(names) // count]), folder)
    return folder


def use_cores(count):
    """Holds this process, and what it starts from now on, to the machine's last `count` cores."""
    os.sched_setaffinity(0, range(os.cpu_count())[-count:])
    if len(os.sched_getaffinity(0)) != count:
        raise SystemExit(f"this machine has not {count} cores for us")


def write_json(path, value):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def campaign(mutatenn, config, out, extra=()):
    """Runs a campaign with an empty cache: its wall seconds, its --stats and its report."""
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    file, stats = os.path.join(out, "campaign.json"), os.path.join(out, "stats.json")
    write_json(file, config)
    start = time.perf_counter()
    subprocess.run([mutatenn, "run", file, "--out", out, "--quiet", "--stats-json", stats, *extra], check=True,
                   env=dict(os.environ, MUTATENN_PYTHON=sys.executable), stdout=subprocess.DEVNULL)
    wall_s = time.perf_counter() - start
    report = subprocess.run([mutatenn, "report", out, "--json", "-"], check=True, capture_output=True, text=True)
    return wall_s, json.load(open(stats)), json.loads(report.stdout)


def record(what, report=None):
    """The head of a result: what was measured, when, where, of which versions."""
    versions = {"python": platform.python_version()}
    for package in ("numpy", "onnx", "onnxruntime", "tvm"):
        try:
            versions[package] = __import__(package).__version__
        except (ImportError, AttributeError):
            pass
    if report is not None:
        versions["mutatenn"] = report["campaign"]["tool_version"]
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    return {"what": what, "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": {"cpu": cpu, "cores": os.cpu_count(), "load": os.getloadavg()[0],
                        "system": platform.platform()},
            "versions": versions}
