"""Joins the results of the drivers into bench/results/summary.json: the object `summary`, and where each
figure came from.

    python bench/summary.py --out bench/results [--peak build/bin/bench-peak]
"""

import argparse
import json
import os
import subprocess

import networks

# Figure of the summary: the driver's file and the figure's name in it.
FIGURES = {
    "rebuild_ratio_early_geomean": ("rebuild_ratio.json", "rebuild_ratio_early_geomean"),
    "rebuild_ratio_full_geomean": ("rebuild_ratio.json", "rebuild_ratio_full_geomean"),
    "onnxruntime_ratio_geomean": ("onnxruntime_ratio.json", "onnxruntime_ratio_geomean"),
    "two_core_speedup": ("scaling.json", "two_core_speedup"),
    "analysis_cpu_s": ("analysis.json", "analysis_cpu_s"),
    "analysis_s": ("analysis.json", "analysis_s"),
    "analysis_peak_mib": ("analysis.json", "analysis_peak_mib"),
    "isolation_share": ("scaling.json", "isolation_share"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--peak", help="the program bench-peak")
    arguments = parser.parse_args()
    summary, sources = {}, {}
    for figure, (file, key) in FIGURES.items():
        path = os.path.join(arguments.out, file)
        result = json.load(open(path)) if os.path.exists(path) else {}
        summary[figure] = result.get("summary", {}).get(key)  # null: that driver was not run
        if result:
            sources[file] = {"date": result["date"], "machine": result["machine"], "versions": result["versions"],
                             "summary": result["summary"]}
    result = networks.record("the figures of all drivers; the networks' own are in the files named in `sources`")
    result.update({"summary": summary, "sources": sources})
    if arguments.peak:
        output = subprocess.run([arguments.peak], check=True, capture_output=True, text=True).stdout
        result["one_core_at_most"] = json.loads(output)
    networks.write_json(os.path.join(arguments.out, "summary.json"), result)
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
