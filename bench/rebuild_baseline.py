"""What the original tool does for every mutant, with today's TVM: import the (mutated) model, build the
whole of it with TVM's default pipeline, run every image. Prints seconds, the labels and the margins
between the first two scores over the largest output, as JSON.

    python rebuild_baseline.py MODEL.onnx IMAGES.npy TARGET
"""

import json
import sys
import time

import numpy
import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

from verdicts import label_and_margin


def main():
    model_path, images_path, target = sys.argv[1:4]
    images = numpy.load(images_path)
    start = time.perf_counter()
    module = from_onnx(onnx.load(model_path), keep_params_in_input=False)
    built = time.perf_counter()
    executable = tvm.compile(module, target=tvm.target.Target(json.loads(target)))
    compiled = time.perf_counter()
    machine = relax.VirtualMachine(executable, tvm.cpu())
    results = []
    for image in images:
        output = machine["main"](tvm.runtime.tensor(image))
        output = output if hasattr(output, "numpy") else output[0]
        results.append(label_and_margin(output.numpy()))
    end = time.perf_counter()
    json.dump({"import_s": built - start, "compile_s": compiled - built, "run_s": end - compiled,
               "total_s": end - start, "labels": [label for label, _ in results],
               "margins": [margin for _, margin in results]}, sys.stdout)


if __name__ == "__main__":
    main()
