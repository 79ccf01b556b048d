"""Cost as work grows, on one network: time per (mutant, image) at 1, 10, 100 images and 10, 100, 1000
mutants, peak memory against the configured budget, one job on one core against two on two, the shares of
store and isolation. Full matrix, so that every mutant is run on every image; cold cache; every campaign
whole, on as many cores as it has jobs.

    python bench/scaling.py --mutatenn build/bin/mutatenn --out bench/results [--quick]
"""

import os
import tempfile

import networks

OPERATORS = [{"id": "graph.activation", "from": ["relu", "relu6"], "to": ["sigmoid"]},
             {"id": "graph.arithmetic", "from": ["add"], "to": ["subtract"], "synthetic": True},
             {"id": "graph.insert_operation", "operation": "transpose", "functions": ["conv2d"], "arg": 0},
             {"id": "graph.insert_operation", "operation": "exp", "functions": ["conv2d", "dense"], "arg": 0},
             {"id": "code.store_type", "to": "float16"}, {"id": "code.store_value", "value": -1e-8},
             {"id": "code.store_value", "value": 1.0}, {"id": "code.relation", "from": ["lt"], "to": ["le"]},
             {"id": "code.threshold", "relations": ["lt"], "value": 0.5}]


def run(arguments, model, scratch, images, mutants, jobs):
    folder = networks.image_folder(arguments.shared, images, os.path.join(scratch, f"images{images}"))
    config = {"models": [model], "images": {"path": folder},
              "devices": [{"name": "host", "target": {"kind": "llvm", "mcpu": "host"}}], "operators": OPERATORS,
              "kill": "top1", "matrix": "full", "timing": "suffix", "seed": 1, "max_mutants": mutants, "jobs": jobs, "repeats": 1, "floors": 0,
              "memory_budget_mb": arguments.budget_mb}
    networks.use_cores(jobs)
    wall_s, stats, report = networks.campaign(arguments.mutatenn, config, os.path.join(scratch, "campaign"))
    worker, stages = stats["worker"], stats["stages"]
    pairs = max(1, stats["fates"])
    result = {"images": images, "mutants": mutants, "jobs": jobs, "judged": stats["judged"], "pairs": stats["fates"],
              "wall_s": round(wall_s, 3), "ms_per_pair": round(1e3 * wall_s / pairs, 3),
              "ms_per_pair_running": round(1e3 * stages["run_s"] / pairs, 3), "stages": stages,
              "reference_mb": round(worker["reference_bytes"] / 2**20, 1),
              "worker_peak_mb": round(worker["worker_peak_bytes"] / 2**20, 1),
              "mutant_peak_mb": round(worker["mutants_peak_bytes"] / 2**20, 1),
              "isolation_share": round(stats["isolation_share"], 5), "store_share": round(stats["store_share"], 5),
              "stats": stats}
    print("{images:4} images {mutants:5} mutants {jobs} jobs: {wall_s:8.2f} s, {ms_per_pair:8.3f} ms a pair "
          "({ms_per_pair_running:.3f} running), references {reference_mb} MiB, worker {worker_peak_mb} MiB, "
          "mutant {mutant_peak_mb} MiB, isolation {isolation_share:.2%}, store {store_share:.2%}".format(**result),
          flush=True)
    return result, report


def main():
    parser = networks.arguments_of(__doc__)
    parser.add_argument("--mutatenn", required=True)
    parser.add_argument("--network", default="EfficientNet-Lite0", choices=networks.NETWORKS)
    parser.add_argument("--budget-mb", type=int, default=256, help="room for references; 100 images take more")
    parser.add_argument("--quick", action="store_true", help="small campaigns; nothing is written")
    arguments = parser.parse_args()
    images, mutants, pair = [1, 10, 100], [10, 100, 1000], (10, 1000)
    if arguments.quick:
        images, mutants, pair = [1, 4], [4, 16], (4, 16)
    model = networks.model(arguments.network, arguments.shared, arguments.models)
    with tempfile.TemporaryDirectory() as scratch:
        by_images = [run(arguments, model, scratch, count, mutants[1], 1)[0] for count in images]
        by_mutants = [run(arguments, model, scratch, images[1], count, 1)[0] for count in mutants[:-1]]
        jobs = []
        for _ in range(2):  # in turn: the machine's speed changes
            for count in (1, 2):
                result, report = run(arguments, model, scratch, *pair, count)
                jobs.append(result)
    best = {count: min((r for r in jobs if r["jobs"] == count), key=lambda r: r["wall_s"]) for count in (1, 2)}
    speedup = {stage: round(best[1]["stages"][stage] / best[2]["stages"][stage], 3)
               for stage in ("original_s", "build_s", "run_s")}
    by_mutants.append(best[1])
    everything = by_images + by_mutants + jobs
    summary = {"two_core_speedup": round(best[1]["wall_s"] / best[2]["wall_s"], 3),
               "isolation_share": max(result["isolation_share"] for result in everything),
               "store_share": max(result["store_share"] for result in everything),
               "reference_of_budget": round(max(r["reference_mb"] for r in everything) / arguments.budget_mb, 3)}
    print(summary, speedup)
    result = networks.record("cost of whole campaigns (full matrix, cold cache) as images, mutants and jobs grow", report)
    result.update({"network": arguments.network, "memory_budget_mb": arguments.budget_mb, "by_images": by_images,
                   "by_mutants": by_mutants, "by_jobs": jobs, "speedup_of_stages": speedup, "summary": summary})
    if not arguments.quick:
        networks.write_json(os.path.join(arguments.out, "scaling.json"), result)


if __name__ == "__main__":
    main()
