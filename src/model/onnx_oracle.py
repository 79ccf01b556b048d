"""Compares imported models with onnxruntime: main is compiled by TVM's own default pipeline and run.

    python onnx_oracle.py MODEL.onnx...
"""

import sys

import numpy as np
import onnxruntime
import tvm
from mutatenn import network, onnx_import
from tvm import relax


def check(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(3)
    inputs = {value.name: rng.normal(size=[n if isinstance(n, int) else 1 for n in value.shape]).astype(np.float32)
              for value in session.get_inputs()}  # fmt: skip
    expected = session.run(None, inputs)
    result = network.finish(onnx_import.import_onnx(path))
    executable = relax.build(result.module, tvm.target.Target({"kind": "llvm"}))
    machine = relax.VirtualMachine(executable, tvm.cpu())
    arguments = [tvm.runtime.tensor(np.ascontiguousarray(array))
                 for array in [*inputs.values(), *(array for _, array in result.weights)]]  # fmt: skip
    outputs = machine["main"](*arguments)
    outputs = [outputs] if isinstance(outputs, tvm.runtime.Tensor) else list(outputs)
    assert len(outputs) == len(expected), f"{path}: {len(outputs)} outputs, not {len(expected)}"
    for got, want in zip(outputs, expected):
        # The bound: |a-b| <= 1e-4 max|b| + 1e-3 |b|
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-3, atol=1e-4 * np.abs(want).max(), err_msg=path)


for name in sys.argv[1:]:
    check(name)
