"""Users' own mutation operators: what their files may use, and how the front end runs them.

A file, named in a campaign's `operators` by {"id": "python", "file": "ops.py"}, has

    LEVEL = "graph"          # or "code"; "graph" where it says nothing
    def points(mod): ...     # a list of mutation points
    def apply(mod, point):   # a module with that point mutated, and nothing else

At level graph `mod` is an IRModule whose `main` is the network in Relax, before anything is lowered, and a
point is the name of a variable of it. At level code `main` is one kernel's PrimFunc; a point is the name of
a block of it, and `apply` gets the kernel after scheduling, where the block's parts may be called NAME_init
and NAME_update. A point may also be a dict with that name as "at" and whatever else `apply` needs. Both
functions must give the same for the same module: points are found again by their number.
"""

import importlib.util
import traceback

import tvm
import tvm_ffi
from tvm import relax, s_tir, tirx

from mutatenn.network import Failure, first_line

LEVELS = ("graph", "code")


# ---- For users' files. ----


def bindings(mod):
    """The bindings of a graph's `main`, in order; each has `var` (with `name`) and `value`."""
    return [binding for block in mod["main"].body.blocks for binding in block.bindings]


def replace_binding(mod, name, value):
    """The graph with another expression bound to the variable of that name."""
    main = mod["main"]
    new = [relax.VarBinding(b.var, value) if b.var.name == name else b for b in bindings(mod)]
    body = relax.SeqExpr([relax.DataflowBlock(new)], main.body.body)
    return tvm.IRModule({"main": relax.Function(main.params, body, main.ret_ty, main.is_pure, main.attrs)})


def blocks(mod):
    """The names of a kernel's blocks that hold no other block, in order."""
    found = []

    def leaf(block):
        inner = []
        tvm_ffi.structural_walk(block.body, (s_tir.SBlock, inner.append))
        if not inner:
            found.append(block.name_hint)
        return block

    tvm_ffi.structural_map(mod["main"].body, (s_tir.SBlock, leaf))
    return found


def map_block(mod, name, callback):
    """The kernel with each node of the block of that name, and of its parts, replaced by callback(node)."""

    def within(block):
        if block.name_hint not in (name, name + "_init", name + "_update"):
            return block
        return tvm_ffi.structural_map(block, callback)

    main = mod["main"]
    return tvm.IRModule({"main": main.with_body(tvm_ffi.structural_map(main.body, (s_tir.SBlock, within)))})


# ---- For the front end. ----


def load(path):
    spec = importlib.util.spec_from_file_location("mutatenn_user_operator", path)
    module = importlib.util.module_from_spec(spec)
    _run(path, "is loaded", spec.loader.exec_module, module)
    level = getattr(module, "LEVEL", "graph")
    if level not in LEVELS:
        raise Failure("invalid_input", f"{path}: LEVEL is {level!r}; say {' or '.join(map(repr, LEVELS))}")
    for name in ("points", "apply"):
        if not callable(getattr(module, name, None)):
            raise Failure("invalid_input", f"{path}: has no function {name}; see python/mutatenn/operators.py")
    return module, level


def points_of(path, module, level, mod):
    """The file's points, each with the name it is at."""
    given = _run(path, "points(mod)", module.points, mod)
    if not isinstance(given, (list, tuple)):
        raise Failure("invalid_input", f"{path}: points(mod) returned {type(given).__name__}, not a list")
    known = {b.var.name for b in bindings(mod)} if level == "graph" else set(blocks(mod))
    named = []
    for point in given:
        at = point.get("at") if isinstance(point, dict) else point
        if at not in known:
            what = "variable" if level == "graph" else "block"
            raise Failure("invalid_input", f"{path}: points(mod) names {at!r}, which is no {what} of main")
        named.append((str(at), point))
    return named


def apply_points(path, origin_json, module_json, numbers):
    """The module with the points of these numbers (as points(origin) lists them) applied one by one."""
    module, level = load(path)
    found = points_of(path, module, level, tvm.ir.load_json(origin_json))
    mod = tvm.ir.load_json(module_json)
    for number in numbers:
        if number >= len(found):
            raise Failure("invalid_input", f"{path}: points(mod) gave {len(found)} points, and point {number} before")
        at, point = found[number]
        result = _run(path, "apply(mod, point)", module.apply, mod, point)
        if not isinstance(result, tvm.IRModule):
            raise Failure("invalid_input", f"{path}: apply(mod, point) returned no IRModule")
        before, after = _parts(mod, level, at), _parts(result, level, at)
        changed = sorted(name for name in before if name != at and before[name] != after.get(name))
        if changed:
            raise Failure("invalid_input", f"{path}: apply changed {changed[0]!r} too, not only {at!r}")
        if at not in after:
            raise Failure("invalid_input", f"{path}: apply left no {at!r}")
        if before[at] == after[at]:
            raise Failure("invalid_input", f"{path}: apply changed nothing at {at!r}")
        mod = result
    return tvm.ir.save_json(mod)


def _run(path, what, function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else (lines or [None])[-1]
        where = f"{path}:{line}" if line else path
        raise Failure("invalid_input", f"{where}: {what}: {type(error).__name__}: {first_line(error)}") from error


def _parts(mod, level, at):
    """The printed pieces of a module by name; of a kernel the block `at`, and all the rest as ""."""
    if level == "graph":
        parts = {}
        for binding in bindings(mod):
            if binding.var.name in parts:
                raise Failure("invalid_input", f"two variables are named {binding.var.name!r}")
            parts[binding.var.name] = str(binding.value)
        return parts
    inside = []

    def masked(block):
        if block.name_hint not in (at, at + "_init", at + "_update"):
            return block
        inside.append(str(block))
        fields = (block.iter_vars, block.reads, block.writes, block.name_hint, tirx.Evaluate(0))
        return s_tir.SBlock(*fields)

    rest = mod["main"].with_body(tvm_ffi.structural_map(mod["main"].body, (s_tir.SBlock, masked)))
    return {at: "\n".join(inside), "": str(rest)}
