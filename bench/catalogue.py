"""The whole catalogue of operators over the example's network on one CPU target, to the end: every mutant
judged, verdicts by category and level, and no leak: the resident memory of each long-lived process at its end
against that after its first hundred mutants. Then the preset `default` built: its share of stillborn mutants.

    python bench/catalogue.py --mutatenn build/bin/mutatenn --out bench/results [--quick] [--keep FOLDER]
"""

import collections
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import networks

FIRST = 100  # mutants after which memory is taken
SAMPLES = 10  # of which the median is a process's memory at a time
LEAK = 0.10  # growth allowed
CRASHED = 0.30  # of code mutants, in plain memory
STILLBORN = 0.02  # of the preset `default`


def processes(root):
    """Pid -> role of the campaign's long-lived processes; the children that they fork are none."""
    parents, roles = {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as f:
                parents[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    for pid, parent in parents.items():
        if parent != root:
            continue
        try:
            with open(f"/proc/{pid}/cmdline") as f:
                words = f.read()
        except OSError:
            continue
        roles[pid] = "compile server" if "compile-server" in words else "worker" if "worker" in words else "other"
    roles[root] = "mutatenn"
    return roles


def resident_kb(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) for line in f if line.startswith("VmRSS")), 0)
    except OSError:
        return 0


def progress(database):
    """Mutants built, and mutants with a fate."""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1) as store:
            return (store.execute("SELECT count(*) FROM builds").fetchone()[0],
                    store.execute("SELECT count(*) FROM (SELECT DISTINCT mutant FROM fates)").fetchone()[0])
    except sqlite3.Error:
        return 0, 0


def watched(command, out, every_s):
    """Runs a campaign; for each process the samples (seconds, KiB, mutants built, mutants run)."""
    samples = collections.defaultdict(list)
    start = time.monotonic()
    run = subprocess.Popen(command, env=dict(os.environ, MUTATENN_PYTHON=sys.executable), stdout=subprocess.DEVNULL)
    while run.poll() is None:
        time.sleep(every_s)
        built, ran = progress(os.path.join(out, "campaign.db"))
        for pid, role in processes(run.pid).items():
            kb = resident_kb(pid)
            if kb:
                samples[role, pid].append((round(time.monotonic() - start, 1), kb, built, ran))
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: status {run.returncode}")
    return samples, time.monotonic() - start


def growth(samples):
    """Of each process that handled more than the first hundred: its memory then and at its end, in MiB."""
    result = []
    for (role, pid), rows in samples.items():
        handled = 3 if role == "worker" else 2  # a worker runs mutants, the others build them
        begin = rows[0][handled]
        after = [row for row in rows if row[handled] - begin >= FIRST]
        if len(after) < 2 * SAMPLES:
            continue
        first = statistics.median(row[1] for row in after[:SAMPLES])
        last = statistics.median(row[1] for row in after[-SAMPLES:])
        result.append({"process": role, "after_first_hundred_mb": round(first / 1024, 1),
                       "at_the_end_mb": round(last / 1024, 1), "peak_mb": round(max(r[1] for r in rows) / 1024, 1),
                       "growth": round(last / first - 1, 4), "samples": len(rows)})
    return result


def shares(mutants, key):
    """Counts of verdicts by category, level or operator, and how many left their buffers."""
    groups = {}
    for mutant in mutants:
        (result,) = mutant["devices"].values()
        group = groups.setdefault(key(mutant), collections.Counter())
        group[result["verdict"]] += 1
        group["mutants"] += 1
        group["out_of_bounds"] += result["out_of_bounds"] is not None
    return {name: dict(sorted(group.items())) for name, group in sorted(groups.items())}


def main():
    parser = networks.arguments_of(__doc__)
    parser.add_argument("--mutatenn", required=True)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--every-s", type=float, default=0.5, help="seconds between two samples of memory")
    parser.add_argument("--quick", action="store_true", help="a sample of 400 mutants; nothing is written")
    parser.add_argument("--keep", help="a folder for the campaign, which stays")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.keep or os.path.join(scratch, "all")
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        config = {"models": [networks.model("EfficientNet-Lite0", arguments.shared, arguments.models)],
                  "images": {"path": networks.image_folder(arguments.shared, arguments.images, root + "/images")},
                  "devices": [{"name": "host", "target": {"kind": "llvm", "mcpu": "host"}}], "operators": ["all"],
                  "kill": "top1", "matrix": "early", "seed": 1, "max_mutants": 400 if arguments.quick else 0, "jobs": os.cpu_count()}
        file = os.path.join(root, "campaign.json")
        networks.write_json(file, config)
        samples, wall_s = watched([arguments.mutatenn, "run", file, "--out", root, "--quiet"], root, arguments.every_s)
        text = subprocess.run([arguments.mutatenn, "report", root, "--json", "-"], check=True, capture_output=True,
                              text=True).stdout
        report = networks.json.loads(text)
        config["operators"], config["max_mutants"] = ["default"], 0
        other = os.path.join(root, "default.json")
        config["cache"] = os.path.join(root, "cache")
        networks.write_json(other, config)
        default = os.path.join(scratch, "default")
        subprocess.run([arguments.mutatenn, "build", other, "--out", default, "--quiet"], check=True,
                       env=dict(os.environ, MUTATENN_PYTHON=sys.executable), stdout=subprocess.DEVNULL)
        with sqlite3.connect(f"file:{default}/campaign.db?mode=ro", uri=True) as store:
            states = dict(store.execute("SELECT state, count(*) FROM builds GROUP BY state"))
    (model,) = report["models"]
    mutants = model["mutants"]
    by_level = shares(mutants, lambda m: m["points"][0]["level"])
    code = by_level.get("code", {"mutants": 1})
    processes_grown = growth(samples)
    summary = {"mutants": len(mutants), "wall_s": round(wall_s, 1),
               "pending": sum(group.get("pending", 0) for group in by_level.values()),
               "internal_errors": sum("internal" in str(d["reason"]) for m in mutants for d in m["devices"].values()),
               "worst_growth": max((p["growth"] for p in processes_grown), default=0),
               "code_crashed": round(code.get("crashed", 0) / code["mutants"], 4),
               "default_stillborn": round(states.get("stillborn", 0) / max(1, sum(states.values())), 4),
               "compiler_findings": len(model["compiler_findings"])}
    result = networks.record("the whole catalogue over EfficientNet-Lite0 on one CPU target", report)
    result.update({"summary": summary, "processes": processes_grown, "by_level": by_level,
                   "by_category": shares(mutants, lambda m: m["category"]),
                   "by_operator": shares(mutants, lambda m: m["operator"]),
                   "all": shares(mutants, lambda m: "all")["all"], "default_builds": states,
                   "compiler_findings": model["compiler_findings"]})
    print(networks.json.dumps({key: result[key] for key in ("summary", "processes", "all", "by_category")}, indent=1))
    if not arguments.quick:
        networks.write_json(os.path.join(arguments.out, "catalogue.json"), result)
    failed = [name for name, wrong in (("mutants are pending", summary["pending"]),
                                       ("internal errors", summary["internal_errors"]),
                                       ("a process grows", summary["worst_growth"] > LEAK),
                                       ("code mutants crash", summary["code_crashed"] >= CRASHED),
                                       ("stillborn mutants in default", summary["default_stillborn"] > STILLBORN))
              if wrong]
    if failed:
        raise SystemExit("; ".join(failed))


if __name__ == "__main__":
    main()
