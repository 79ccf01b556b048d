"""Compiles an ONNX network with TVM alone, as a user would: python make_library.py NETWORK.onnx OUT.so"""

import sys

import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx


def main():
    module = from_onnx(onnx.load(sys.argv[1]), shape_dict={"input": [1, 3, 24, 24]})
    relax.build(module, target="llvm").export_library(sys.argv[2])


if __name__ == "__main__":
    main()
