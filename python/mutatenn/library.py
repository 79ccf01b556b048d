"""A module of Relax as `mutatenn export` writes it, to a shared library that Relax's virtual machine runs."""

import json
import subprocess

from mutatenn.network import Failure


def link(output, objects, **_):
    """With `ld` alone, as all libraries of ours: no compiler is needed where TVM is installed."""
    done = subprocess.run(["ld", "-shared", "-o", output, *objects], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure("io", f"{output}: cannot be linked: {done.stderr.strip()}")


def write(module_file, target, library, _story):
    import tvm

    with open(module_file, encoding="utf-8") as file:
        module = tvm.ir.load_json(file.read())
    executable = tvm.compile(module, target=tvm.target.Target(json.loads(target)))
    executable.export_library(library, fcompile=link)
