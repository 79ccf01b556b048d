#!/usr/bin/env python3
"""How many mutation points every operator has in which network, by target; needs no device.

    bench/points.py --program build/bin/mutatenn NAME=FILE.onnx ... > bench/results/points.md
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

TARGETS = {
    "x86-64": {"kind": "llvm", "mcpu": "x86-64"},
    "aarch64": {"kind": "llvm", "mtriple": "aarch64-linux-gnu"},
    "opencl": {"kind": "opencl"},
    "cuda": {"kind": "cuda", "arch": "sm_90"},
}


def short(label):
    """A target's label to our name of it."""
    kind = label.split(":")[0]
    return {"llvm": "aarch64", "every target": ""}.get(kind, kind)


def counts(program, model, images):
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "campaign.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"models": [{"name": "network", "path": os.path.abspath(model)}],
                       "images": {"path": os.path.abspath(images)},
                       "devices": [{"name": name, "target": target} for name, target in TARGETS.items()],
                       "operators": ["all"]}, file)  # fmt: skip
        done = subprocess.run([program, "points", config, "--counts", "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{model}: {done.stderr}")
    found = collections.Counter()
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[row["operator"].split(" ")[0], short(row["target"])] += row["points"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/bin/mutatenn")
    parser.add_argument("--images", default="../shared/images/imagenet-100", help="a folder with any image")
    parser.add_argument("networks", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    tables = {}
    for network in options.networks:
        name, _, path = network.partition("=")
        print(name, file=sys.stderr)
        tables[name] = counts(options.program, path, options.images)
    operators = sorted({operator for table in tables.values() for operator, _ in table})
    print("# Mutation points by operator, network and target\n")
    print("Made by `bench/points.py`. The preset `all`. Points of graph and code operators are the same on every")
    print("target; of lowered ones the row says whose. -: none.\n")
    print("| operator | target | " + " | ".join(tables) + " |")
    print("|---|---|" + "---:|" * len(tables))
    nowhere = []
    for operator in operators:
        targets = list(TARGETS) if operator.startswith("lowered.") else [""]
        if not any(table[operator, target] for table in tables.values() for target in targets):
            nowhere.append(operator)
        for target in targets:
            row = [str(table[operator, target] or "-") for table in tables.values()]
            print(f"| {operator} | {target or 'all'} | " + " | ".join(row) + " |")
    print("\nIn none of these networks (see their examples in `tests/examples`): " + (", ".join(nowhere) or "none") + ".")


if __name__ == "__main__":
    main()
