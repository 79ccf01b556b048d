"""run_export.py KIND FILE INPUTS: what an exported mutant makes of inputs; prints {name: [output, ...]}.

KIND is irmodule or library, INPUTS a JSON object: name -> file of raw float32 elements. Uses TVM as any user would:
nothing of mutatenn is imported.
"""

import json
import sys

import numpy
import tvm
from tvm import relax

kind, path, inputs = sys.argv[1:]
if kind == "irmodule":
    with open(path, encoding="utf-8") as file:
        module = tvm.ir.load_json(file.read())
    executable = tvm.compile(module, target=tvm.target.Target("llvm"))
else:
    executable = tvm.runtime.load_module(path)
vm = relax.VirtualMachine(executable, tvm.cpu())
results = {}
for name, file in json.loads(inputs).items():
    data = numpy.fromfile(file, "float32").reshape(1, 3, 24, 24)
    result = vm["main"](tvm.runtime.tensor(data))
    while not hasattr(result, "numpy"):
        result = result[0]
    results[name] = [float(value) for value in result.numpy().ravel()]
print(json.dumps(results))
