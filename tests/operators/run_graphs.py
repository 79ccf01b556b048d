"""Runs Relax functions with TVM's own pipeline: the second opinion of src/mutation/graph_execution_test.cc.

usage: run_graphs.py REQUEST ANSWER
REQUEST: {"functions": [graph JSON of a Relax function, ...], "inputs": [{"shape": [...], "data": [...]}, ...]}
ANSWER:  [the first output of each function, flat]
"""
import json
import sys

import numpy as np
import tvm
from tvm import relax
from tvm_ffi import get_global_func

request = json.load(open(sys.argv[1]))
from_json = get_global_func("ffi.FromJSONGraphString")
inputs = [np.array(i["data"], "float32").reshape(i["shape"]) for i in request["inputs"]]
functions = {f"f{i}": from_json(json.dumps(f)).with_attr("global_symbol", f"f{i}")
             for i, f in enumerate(request["functions"])}
module = relax.transform.Normalize()(tvm.IRModule(functions))
module = relax.transform.DecomposeOpsForInference()(module)
machine = relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
inputs = [tvm.runtime.tensor(i) for i in inputs]
answers = [machine[name](*inputs).numpy().flatten().tolist() for name in functions]
json.dump(answers, open(sys.argv[2], "w"))
