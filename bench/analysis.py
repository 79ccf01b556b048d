"""Time and memory of the analysis of a large campaign: a generated store (bench/store.cc) of 10,000 mutants x 100
images x 4 devices, judged, printed, and written as JSON and HTML, each from a new process.

    python bench/analysis.py --mutatenn build/bin/mutatenn --store build/bin/bench-store --out bench/results [--quick]
"""

import argparse
import os
import subprocess
import tempfile
import time

import networks

REPORTS = [("analyze", ["analyze", "{folder}"], None),
           ("json", ["report", "{folder}", "--json", "{file}"], "report.json"),
           ("html", ["report", "{folder}", "--format", "html", "--out", "{file}"], "report.html")]
HTML_LIMIT = 5_000_000  # bytes, of 10,000 mutants


def measure(command):
    """Wall and processor seconds and the largest resident memory of one process, on two cores."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {0, 1}))
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{command}: status {status}")
    return {"wall_s": round(time.monotonic() - started, 3), "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
            "peak_mib": round(usage.ru_maxrss / 1024, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutatenn", required=True)
    parser.add_argument("--store", required=True, help="the program bench-store")
    parser.add_argument("--out", required=True, help="the folder that results are written to")
    parser.add_argument("--quick", action="store_true", help="a small store; nothing is written")
    arguments = parser.parse_args()
    mutants, images, devices = (200, 20, 2) if arguments.quick else (10000, 100, 4)
    result = networks.record("judging and reporting a generated store; the limits are 30 s and 1024 MiB on two cores")
    result.update({"mutants": mutants, "images": images, "devices": devices})
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([arguments.store, folder, str(mutants), str(images), str(devices)], check=True)
        result["store_mib"] = round(os.path.getsize(os.path.join(folder, "campaign.db")) / 2**20, 1)
        for name, command, file in REPORTS:
            path = os.path.join(folder, file or "")
            measured = measure([arguments.mutatenn, *(word.format(folder=folder, file=path) for word in command)])
            if file:
                measured["file_mib"] = round(os.path.getsize(path) / 2**20, 2)
            if name == "html" and os.path.getsize(path) >= HTML_LIMIT:
                raise SystemExit(f"the page has {os.path.getsize(path)} bytes; its limit is {HTML_LIMIT}")
            result[name] = measured
            print(name, measured, flush=True)
    measured = [result[name] for name, _, _ in REPORTS]
    result["summary"] = {"analysis_s": max(m["wall_s"] for m in measured),
                         "analysis_cpu_s": max(m["cpu_s"] for m in measured),
                         "analysis_peak_mib": max(m["peak_mib"] for m in measured)}
    if not arguments.quick:
        networks.write_json(os.path.join(arguments.out, "analysis.json"), result)


if __name__ == "__main__":
    main()
