"""The original network against onnxruntime, one thread each, in turn in one run: eight networks, best of
many inferences in CPU seconds of that thread (others may use the machine), outputs compared.

    python bench/onnxruntime_ratio.py --original build/bin/bench-original --shared ../shared --out bench/results

Six networks have seeded random weights (made once by shared/models/make_random_weights.py and kept in
--models), two are trained. Nothing is tuned: what is compiled is what a campaign compiles.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime

import networks

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python")
MADE = ["squeezenet", "resnet50", "densenet121", "inception_v2", "shufflenet", "alexnet"]
TRAINED = ["mobilenetv2", "efficientnet_lite0"]
RELATIVE, OF_THE_LARGEST = 1e-3, 1e-4


def model_paths(models, shared):
    paths = {name: networks.made(name, shared, models) for name in MADE}
    paths.update({name: os.path.join(shared, "models", name + ".onnx") for name in TRAINED})
    return paths


class Ours:
    """bench-original as a child: one JSON line a question, one an answer."""

    def __init__(self, program, path, folder):
        self.folder = folder
        environment = dict(os.environ, MUTATENN_PYTHON=sys.executable, TVM_NUM_THREADS="1", PYTHONPATH=PACKAGE)
        self.process = subprocess.Popen([program, path, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self.build = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"bench-original ended with status {self.process.wait()}")
        return json.loads(line)

    def run(self, runs):
        """Seconds of each run, the best of each step, the output's bytes."""
        output = os.path.join(self.folder, "output.bin")
        question = {"input": os.path.join(self.folder, "input.bin"), "output": output, "runs": runs}
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        return answer["seconds"], answer["steps"], open(output, "rb").read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def excess(ours, theirs):
    """The largest difference over the tolerance: at most 1 agrees."""
    allowed = RELATIVE * numpy.abs(theirs) + OF_THE_LARGEST * numpy.abs(theirs).max()
    return float((numpy.abs(ours - theirs) / allowed).max())


def measure(name, path, program, rounds, runs):
    theirs = session(path)
    shape = [d if isinstance(d, int) and d > 0 else 1 for d in theirs.get_inputs()[0].shape]
    image = numpy.random.default_rng(1).standard_normal(shape).astype("float32") / 4
    feed = {theirs.get_inputs()[0].name: image}
    with tempfile.TemporaryDirectory() as folder:
        image.tofile(os.path.join(folder, "input.bin"))
        ours = Ours(program, path, folder)
        _, _, first = ours.run(2)
        expected = theirs.run(None, feed)[0]
        ours_s, theirs_s, steps, identical = [], [], None, True
        for _ in range(rounds):
            seconds, best, output = ours.run(runs)
            ours_s += seconds
            steps = best if steps is None else [min(pair) for pair in zip(steps, best)]
            identical = identical and output == first
            for _ in range(runs):
                start = time.thread_time()
                theirs.run(None, feed)
                theirs_s.append(time.thread_time() - start)
        ours.close()
    build = ours.build
    named = [{"name": step["name"], "role": step["role"], "ms": round(1e3 * s, 4)}
             for step, s in zip(build["steps"], steps)]
    return {
        "network": name,
        "ours_ms": round(1e3 * min(ours_s), 3), "onnxruntime_ms": round(1e3 * min(theirs_s), 3),
        "ratio": round(min(ours_s) / min(theirs_s), 4),
        "median_ratio": round(float(numpy.median(ours_s) / numpy.median(theirs_s)), 4),
        "agrees": excess(numpy.frombuffer(first, "float32").reshape(expected.shape), expected) <= 1,
        "excess": excess(numpy.frombuffer(first, "float32").reshape(expected.shape), expected),
        "bit_identical": identical,
        "kernels": build["kernels"], "compile_ms_per_kernel": round(1e3 * build["compile_s"] / build["kernels"], 1),
        "compile_s": round(build["compile_s"], 2), "import_s": round(build["import_s"], 2),
        "weight_steps_ms": round(1e3 * build["weight_steps_s"], 1),
        "steps": sorted(named, key=lambda step: -step["ms"]),
    }, build["tvm"]


def main():
    parser = networks.arguments_of(__doc__)
    parser.add_argument("--original", required=True, help="the program bench-original")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3, help="inferences a round, of each side")
    parser.add_argument("--only", nargs="*", help="some of the networks; nothing is written")
    arguments = parser.parse_args()
    measured, failed, tvm = [], {}, ""
    for name, path in model_paths(arguments.models, arguments.shared).items():
        if arguments.only and name not in arguments.only:
            continue
        try:
            result, tvm = measure(name, path, arguments.original, arguments.rounds, arguments.runs)
        except RuntimeError as error:
            failed[name] = str(error)
            print(f"{name:20} failed: {error}")
            continue
        measured.append(result)
        print("{network:20} {ours_ms:8.2f} ms, onnxruntime {onnxruntime_ms:8.2f} ms, ratio {ratio:.3f}, agrees {agrees} "
              "({excess:.2g}), identical {bit_identical}, {kernels} kernels of {compile_ms_per_kernel} ms".format(**result),
              flush=True)
    if not measured:
        sys.exit("no network could be measured")
    geomean = networks.geomean([network["ratio"] for network in measured])
    kernels = sum(network["kernels"] for network in measured)
    compile_ms = 1e3 * sum(network["compile_s"] for network in measured) / kernels
    print(f"geometric mean {geomean:.3f}, {compile_ms:.0f} ms a kernel")
    if arguments.only:
        return
    result = networks.record("one inference of the original network, one thread, ours over onnxruntime's: best of "
                             f"{arguments.rounds * arguments.runs} each, in turn; compile time one kernel at a time, "
                             "with scheduling")
    result["versions"]["tvm"] = tvm
    result.update({"networks": measured, "failed": failed,
                   "summary": {"onnxruntime_ratio_geomean": round(geomean, 4),
                               "onnxruntime_ratio_worst": max(network["ratio"] for network in measured),
                               "compile_ms_per_kernel": round(compile_ms, 1)}})
    networks.write_json(os.path.join(arguments.out, "onnxruntime_ratio.json"), result)


if __name__ == "__main__":
    main()
