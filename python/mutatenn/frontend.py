"""The front-end child: `python -m mutatenn.frontend FD` answers JSON lines on the socket FD.

    {"op": "import", "path": P, "weights": W}   -> {"ok": true, "module_file": F, "weights": [...],
        "layers": [...], "bindings": [...], "num_inputs": n}; weights written to W, the module to F
    {"op": "legalize", "module": JSON}          -> {"ok": true, "module": JSON}
    {"op": "schedule", "module": JSON, "target": JSON} -> {"ok": true, "traces": {NAME: JSON}}; how dlight
        schedules each function for a GPU (mutatenn/gpu_schedules.py)
    {"op": "user_points", "file": F, "modules": [JSON]} -> {"ok": true, "level": L, "points": [[NAME]]}; a
        user's own operator (mutatenn/operators.py): its points in each module. None are asked for its level.
    {"op": "user_apply", "file": F, "origin": JSON, "module": JSON, "numbers": [n]} -> {"ok": true, "module": JSON}
    {"op": "library" | "script", "module": F, "target": JSON, "out": L, "story": {...}} -> {"ok": true}; the module
        of Relax in the file F becomes the shared library or the Python file L (mutatenn/library.py, script.py)
    {"op": "quit"}
A failure is {"ok": false, "code": "invalid_input|unsupported|io|unavailable|tvm", "message": one line}.
"""

import ctypes
import gc
import importlib
import json
import os
import socket
import sys
import traceback
import warnings

# File suffix -> (module, function) that returns a network.Imported. A new kind of model is a line here.
IMPORTERS = {".onnx": ("mutatenn.onnx_import", "import_onnx")}


def import_model(path, weights_file):
    from mutatenn import network
    import tvm

    suffix = os.path.splitext(path)[1].lower()
    if suffix not in IMPORTERS:
        known = ", ".join(IMPORTERS)
        raise network.Failure("invalid_input", f"{path}: unknown kind of model '{suffix}'; known: {known}")
    if not os.path.isfile(path):
        raise network.Failure("invalid_input", f"{path}: no such file")
    module_name, function = IMPORTERS[suffix]
    imported = getattr(importlib.import_module(module_name), function)(path)
    try:
        result = network.finish(imported)
    except network.Failure as failure:
        raise network.Failure(failure.code, f"{path}: {failure}") from failure
    described = network.write_weights(result.weights, weights_file)
    module_file = weights_file + ".module.json"
    try:
        with open(module_file, "w", encoding="utf-8") as file:
            file.write(tvm.ir.save_json(result.module))
    except OSError as error:
        raise network.Failure("io", f"cannot write {module_file}: {error.strerror}") from error
    return {"module_file": module_file, "weights": described, "layers": result.layers,
            "bindings": result.bindings, "num_inputs": result.num_inputs}  # fmt: skip


def legalize(module_json):
    """LegalizeOps, without a target: the result must not depend on one."""
    import tvm
    from mutatenn.network import Failure, op_name
    from tvm import relax

    module = relax.transform.LegalizeOps()(tvm.ir.load_json(module_json))
    for block in module["main"].body.blocks:
        for binding in block.bindings:
            name = op_name(binding.value)
            if name and name != "relax.call_tir":
                raise Failure("unsupported", f"no legalisation for {name}")
    return {"module": tvm.ir.save_json(module)}


def user_points(path, modules):
    import tvm
    from mutatenn import operators

    module, level = operators.load(path)
    found = [operators.points_of(path, module, level, tvm.ir.load_json(mod)) for mod in modules]
    return {"level": level, "points": [[at for at, _ in points] for points in found]}


def user_apply(request):
    from mutatenn import operators

    return {"module": operators.apply_points(request["file"], request["origin"], request["module"],
                                             request["numbers"])}  # fmt: skip


def answer(request):
    def failure(code, message):
        return {"ok": False, "code": code, "message": message}

    try:
        from mutatenn.network import Failure, first_line
    except Exception as error:
        return failure("unavailable", f"{sys.executable} cannot import TVM ({error}); run tools/setup, or "
                       "name another Python in MUTATENN_PYTHON")  # fmt: skip
    where = request["path"] + ": " if "path" in request else ""
    try:
        if request["op"] == "import":
            return {"ok": True, **import_model(request["path"], request["weights"])}
        if request["op"] == "legalize":
            return {"ok": True, **legalize(request["module"])}
        if request["op"] == "schedule":
            from mutatenn import gpu_schedules

            return {"ok": True, "traces": gpu_schedules.traces(request["module"], request["target"])}
        if request["op"] == "user_points":
            return {"ok": True, **user_points(request["file"], request["modules"])}
        if request["op"] == "user_apply":
            return {"ok": True, **user_apply(request)}
        if request["op"] in ("library", "script"):
            importlib.import_module("mutatenn." + request["op"]).write(
                request["module"], request["target"], request["out"], request["story"])  # fmt: skip
            return {"ok": True}
        return failure("tvm", f"unknown operation {request['op']}")
    except Failure as error:
        return failure(error.code, str(error))
    except ImportError as error:
        return failure("unavailable", f"{where}{sys.executable}: {first_line(error)}; run tools/setup")
    except Exception as error:
        traceback.print_exc()  # to stderr, which the parent keeps
        return failure("tvm", where + first_line(error))


def list_functions_once():
    """tvm_ffi lists all 2,400 functions by name for each of TVM's 50 modules: a tenth of the imports."""
    from tvm_ffi import registry

    known = []

    def names():
        name_at = registry.get_global_func("ffi.FunctionListGlobalNamesFunctor")()
        if len(known) != name_at(-1):  # others were registered since
            known[:] = [name_at(i) for i in range(name_at(-1))]
        return known

    registry.list_global_func_names = names


def main():
    gc.disable()  # it collects nothing in so short a life, and takes a tenth of the imports
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)  # what libraries print is no answer
    if quiet := os.environ.get("MUTATENN_BACKTRACE"):
        ctypes.CDLL(quiet, mode=ctypes.RTLD_GLOBAL)  # before TVM's libraries (src/tvm/backtrace.cc)
    warnings.simplefilter("ignore")
    try:
        list_functions_once()
        import mutatenn.onnx_import  # noqa: F401  while the parent does other things
    except Exception:
        pass  # said in the answer to the first request
    with channel.makefile("rb") as requests:
        for line in requests:
            request = json.loads(line)
            if request.get("op") == "quit":
                break
            channel.sendall(json.dumps(answer(request)).encode() + b"\n")


if __name__ == "__main__":
    main()
