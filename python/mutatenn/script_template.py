"""{title}

{story}

Needs TVM {tvm} and numpy; made by `mutatenn export --as script`. Compiles the module below (Relax, kernels as the
campaign ran them, weights inside), runs the network as it is (`original`) and with the mutation (`main`) on the images
below, and prints the difference. Exit status 0: the labels are those that the campaign found.
"""

import base64
import json
import sys
import zlib

import numpy as np
import tvm
from tvm import relax

TARGET = {target}
IMAGES = {images}
INPUTS = {inputs}
MODULE = {module}


def unpack(text):
    return zlib.decompress(base64.b85decode(text))


def first_output(vm, name, data):
    result = vm[name](data)
    while not hasattr(result, "numpy"):
        result = result[0]
    return result.numpy().ravel()


def best(scores, count):
    # Larger first, NaN last, ties by lower index.
    order = sorted(range(len(scores)), key=lambda i: (np.isnan(scores[i]), -scores[i], i))
    return [(i, float(scores[i])) for i in order[:count]]


def main():
    module = tvm.ir.load_json(unpack(MODULE).decode())
    vm = relax.VirtualMachine(tvm.compile(module, target=tvm.target.Target(TARGET)), tvm.cpu())
    shape = [int(extent) for extent in module["main"].params[0].ty.shape]
    agrees = True
    for image in IMAGES:
        data = tvm.runtime.tensor(np.frombuffer(unpack(INPUTS[image["name"]]), "float32").reshape(shape).copy())
        original, mutant = (first_output(vm, name, data) for name in ("original", "main"))
        labels = {{"original": best(original, 5), "mutant": best(mutant, 5)}}
        with np.errstate(invalid="ignore"):
            difference = np.abs(mutant - original)
        print(f"image {{image['name']}}: largest difference of the output {{difference.max():.6g}}, "
              f"{{int((mutant != original).sum())}} of {{original.size}} elements differ")  # fmt: skip
        for which, top in labels.items():
            found = image.get(which) or []
            same = not found or found[0][0] == top[0][0]
            agrees = agrees and same
            print(f"  {{which}}: label {{top[0][0]}} (score {{top[0][1]:.6g}})"
                  + (f"; the campaign found label {{found[0][0]}} (score {{found[0][1]}})" if found else ""))  # fmt: skip
        print("  killed: the label changed" if labels["original"][0][0] != labels["mutant"][0][0] else
              "  the label is the same")  # fmt: skip
    print("as the campaign found it" if agrees else "NOT as the campaign found it")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
