"""What the original tool does for every mutant, with today's TVM: import the (mutated) model, build the
whole of it with TVM's default pipeline, run every image. Prints seconds per mutant as JSON.

    python rebuild_baseline.py MODEL.onnx IMAGES.npy TARGET REPEAT
"""

import json
import sys
import time

import numpy
import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx


def main():
    model_path, images_path, target, repeat = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    images = numpy.load(images_path)
    runs = []
    for _ in range(repeat):
        start = time.perf_counter()
        module = from_onnx(onnx.load(model_path), keep_params_in_input=False)
        built = time.perf_counter()
        executable = tvm.compile(module, target=tvm.target.Target(json.loads(target)))
        compiled = time.perf_counter()
        machine = relax.VirtualMachine(executable, tvm.cpu())
        labels = []
        for image in images:
            output = machine["main"](tvm.runtime.tensor(image))
            output = output if hasattr(output, "numpy") else output[0]
            labels.append(int(output.numpy().reshape(-1).argmax()))
        end = time.perf_counter()
        runs.append({"import_s": built - start, "compile_s": compiled - built, "run_s": end - compiled,
                     "total_s": end - start, "labels": labels})
    json.dump(runs, sys.stdout)


if __name__ == "__main__":
    main()
