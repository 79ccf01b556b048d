"""Turns the main function an importer built into the one that mutation operators see.

In: a Relax function and a record of which of the user's nodes each variable came from. Out: one
dataflow block without dead bindings, aliases and computed constants; large constants as parameters
after the inputs; for every binding its layer and whether the importer invented it.
"""

import os
import re
from dataclasses import dataclass, field

import numpy as np
import tvm
from tvm import relax

ALIGNMENT = 64  # bytes; of every weight in the weights file


class Failure(Exception):
    """An answer to the user: `code` is invalid_input, unsupported, io or tvm; the message is one line."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def first_line(error):
    """The first line of an exception's text, cut to 300 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


@dataclass
class Node:
    """A node of the user's model and the variables that an importer bound to its results."""

    name: str
    op: str
    # Relax operators that are the node itself; what else it needed is synthetic. Empty = the last
    # binding that moves no data only.
    anchors: tuple = ()
    results: list = field(default_factory=list)


@dataclass
class Imported:
    """What an importer hands over. constant_names: handle of a constant -> (the constant, its name)."""

    module: tvm.IRModule
    nodes: list
    constant_names: dict
    num_inputs: int


@dataclass
class Network:
    """The result; weights are (parameter name, array) in parameter order, layers and bindings JSON."""

    module: tvm.IRModule
    weights: list
    layers: list
    bindings: list
    num_inputs: int


class NameSupply:
    """Unique names; `identifier` also replaces what a TVMScript name may not hold."""

    def __init__(self):
        self.taken = set()

    def unique(self, name):
        candidate, n = name, 1
        while candidate in self.taken:
            n += 1
            candidate = f"{name}_{n}"
        self.taken.add(candidate)
        return candidate

    def identifier(self, name):
        name = re.sub(r"\W", "_", name, flags=re.ASCII)
        return self.unique(name if name and not name[0].isdigit() else "_" + name)


def op_name(expr):
    """relax.nn.conv2d, ... of an operator call; "" of anything else."""
    if isinstance(expr, relax.Call) and isinstance(expr.op, tvm.ir.Op):
        return expr.op.name
    return ""


def is_constant(expr):
    return isinstance(expr, tvm.ir.GenericConst)


def static_shape(ty):
    """The sizes of a tensor type, None when one is not a number."""
    shape = getattr(ty, "shape", None)
    if not isinstance(ty, relax.TensorType) or not isinstance(shape, relax.ShapeExpr):
        return None
    if not all(isinstance(size, tvm.tirx.IntImm) for size in shape.values):
        return None
    return tuple(int(size) for size in shape.values)


def _is_static(ty):
    if isinstance(ty, relax.TupleType):
        return all(_is_static(item) for item in ty.fields)
    return static_shape(ty) is not None


def _same_type(a, b):
    return static_shape(a) == static_shape(b) and str(a.dtype) == str(b.dtype)


# Operators that only move data: computed at once when their argument is a constant.
_MOVES = {
    "relax.reshape", "relax.expand_dims", "relax.squeeze", "relax.flatten", "relax.permute_dims",
    "relax.astype", "relax.broadcast_to",
}  # fmt: skip


def _fold(call, array):
    """The value of a data-moving operator on a constant."""
    shape = static_shape(call.ty)
    if op_name(call) == "relax.permute_dims":
        axes = call.attrs.axes
        return np.ascontiguousarray(np.transpose(array, axes and [int(axis) for axis in axes]))
    if op_name(call) == "relax.astype":
        return array.astype(str(call.ty.dtype))
    if op_name(call) == "relax.broadcast_to":
        return np.ascontiguousarray(np.broadcast_to(array, shape))
    return array.reshape(shape)


class _Rebuild:
    def __init__(self, imported):
        self.imported = imported
        self.names = NameSupply()
        self.values = {}  # handle of an old variable -> new leaf expression
        self.parameters = {}  # handle of a constant -> its parameter
        self.folded = {}  # (handle of a constant, what was done) -> the new constant
        self.weights = []
        self.kept = []  # (index of the node, new variable, new value)
        self.layer_name = ""

    def constant_name(self, constant):
        return self.imported.constant_names.get(constant.__chandle__(), (None, None))[1]

    def lift(self, constant):
        """The parameter of a constant with more than one element; smaller ones stay as they are."""
        shape = static_shape(constant.ty)
        if int(np.prod(shape)) <= 1:
            return constant
        handle = constant.__chandle__()
        if handle not in self.parameters:
            name = self.names.identifier(self.constant_name(constant) or self.layer_name + "_constant")
            variable = relax.Var(name, constant.ty)
            # The constant is kept too: a handle is only unique while its object lives.
            self.parameters[handle] = (variable, constant)
            self.weights.append((variable, constant.value.numpy()))
        return self.parameters[handle][0]

    def leaf(self, expr):
        if isinstance(expr, relax.Var):
            return self.values[expr.__chandle__()]
        if isinstance(expr, relax.Tuple):
            return relax.Tuple([self.leaf(item) for item in expr.fields])
        return expr

    def lifted(self, leaf):
        if isinstance(leaf, relax.Tuple):
            return relax.Tuple([self.lifted(item) for item in leaf.fields])
        return self.lift(leaf) if is_constant(leaf) else leaf

    def shortcut(self, value):
        """What stands for `value` without computing it at run time, None if it must be computed."""
        if isinstance(value, relax.Var | relax.Tuple) or is_constant(value):
            return self.leaf(value)
        if isinstance(value, relax.TupleGetItem):
            source = self.leaf(value.tuple_value)
            return source.fields[value.index] if isinstance(source, relax.Tuple) else None
        if op_name(value) not in _MOVES or static_shape(value.ty) is None:
            return None
        source = self.leaf(value.args[0])
        if op_name(value) != "relax.permute_dims" and _same_type(source.ty, value.ty):
            return source
        if not is_constant(source):
            return None
        key = (source.__chandle__(), op_name(value), str(value.ty), str(value.attrs))
        if key not in self.folded:
            result = relax.const(_fold(value, source.value.numpy()), str(value.ty.dtype))
            name = self.constant_name(source)
            self.imported.constant_names[result.__chandle__()] = (result, name)
            self.folded[key] = (result, source)
        return self.folded[key][0]

    def rebuild_value(self, value):
        if isinstance(value, relax.TupleGetItem):
            return relax.TupleGetItem(self.leaf(value.tuple_value), value.index)
        if isinstance(value, relax.Call):
            arguments = [self.lifted(self.leaf(argument)) for argument in value.args]
            return relax.Call(value.op, arguments, value.attrs, value.ty_args, ret_ty=value.ty)
        raise Failure("unsupported", f"layer {self.layer_name} needs {type(value).__name__} in Relax")


def _owners(bindings, nodes):
    """For every binding the index of the node during whose conversion it was emitted."""
    position = {binding.var.__chandle__(): at for at, binding in enumerate(bindings)}
    owners, start = [0] * len(bindings), 0
    for index, node in enumerate(nodes):
        end = max((position.get(var.__chandle__(), -1) for var in node.results), default=-1) + 1
        for at in range(start, end):
            owners[at] = index
        start = max(start, end)
    for at in range(start, len(bindings)):
        owners[at] = len(nodes) - 1
    return owners


def _live(bindings, body):
    """Which bindings the result depends on."""
    used = set()

    def use(expr):
        if isinstance(expr, relax.Var):
            used.add(expr.__chandle__())
        elif isinstance(expr, relax.Tuple):
            for item in expr.fields:
                use(item)
        elif isinstance(expr, relax.TupleGetItem):
            use(expr.tuple_value)
        elif isinstance(expr, relax.Call):
            for argument in expr.args:
                use(argument)

    use(body)
    live = [False] * len(bindings)
    for at in range(len(bindings) - 1, -1, -1):
        live[at] = bindings[at].var.__chandle__() in used
        if live[at]:
            use(bindings[at].value)
    return live


def _is_anchor(at, group, node):
    """Whether the binding `at` of those of one node is the node itself."""
    ops = [op_name(value) for value in group]
    if any(op in node.anchors for op in ops):
        return ops[at] in node.anchors
    computing = [i for i, op in enumerate(ops) if op and op not in _MOVES]
    candidates = computing or [i for i, op in enumerate(ops) if op] or [len(ops) - 1]
    return at == candidates[-1]


def finish(imported):
    """See the head of this file. Failure where a size is known at run time only."""
    main = imported.module["main"]
    blocks = main.body.blocks
    bindings = [binding for block in blocks for binding in block.bindings]
    if not imported.nodes or not bindings:
        raise Failure("unsupported", "the model computes nothing from its inputs")
    owners = _owners(bindings, imported.nodes)
    live = _live(bindings, main.body.body)
    state = _Rebuild(imported)
    inputs = []
    for parameter in main.params:
        inputs.append(relax.Var(state.names.identifier(parameter.name), parameter.ty))
        state.values[parameter.__chandle__()] = inputs[-1]

    for binding, owner, is_live in zip(bindings, owners, live):
        if not is_live:
            continue
        node = imported.nodes[owner]
        state.layer_name = node.name
        if not isinstance(binding, relax.VarBinding) or not _is_static(binding.var.ty):
            raise Failure("unsupported", f"layer {node.name} ({node.op}): its size is known at run time only")
        short = state.shortcut(binding.value)
        if short is None:
            short = relax.DataflowVar("", binding.var.ty)
            state.kept.append((owner, short, state.rebuild_value(binding.value)))
        state.values[binding.var.__chandle__()] = short
    return _assemble(state, inputs, state.leaf(main.body.body), main)


def _assemble(state, inputs, result, main):
    """Names the variables, makes those that leave the block visible, puts the function together."""
    outputs = list(result.fields) if isinstance(result, relax.Tuple) else [result]
    if not state.kept:
        raise Failure("unsupported", "the model computes nothing from its inputs")
    if any(is_constant(output) for output in outputs):
        raise Failure("unsupported", "an output of the model does not depend on its inputs")
    leaving = {output.__chandle__() for output in outputs}
    groups = {}
    for owner, _, value in state.kept:
        groups.setdefault(owner, []).append(value)
    layer_of = {owner: at for at, owner in enumerate(sorted(groups))}
    renamed, final, described, seen = {}, [], [], {}

    def rename(expr):
        if isinstance(expr, relax.Var):
            return renamed.get(expr.__chandle__(), expr)
        if isinstance(expr, relax.Tuple):
            return relax.Tuple([rename(item) for item in expr.fields])
        return expr

    for owner, variable, value in state.kept:
        node = state.imported.nodes[owner]
        at = seen[owner] = seen.get(owner, -1) + 1
        anchor = _is_anchor(at, groups[owner], node)
        suffix = "" if anchor else "_" + (op_name(value).rsplit(".", 1)[-1] or f"item{value.index}")
        kind = relax.Var if variable.__chandle__() in leaving else relax.DataflowVar
        new = kind(state.names.identifier(node.name + suffix), variable.ty)
        renamed[variable.__chandle__()] = new
        if isinstance(value, relax.TupleGetItem):
            value = relax.TupleGetItem(rename(value.tuple_value), value.index)
        else:
            arguments = [rename(argument) for argument in value.args]
            value = relax.Call(value.op, arguments, value.attrs, value.ty_args, ret_ty=value.ty)
        final.append(relax.VarBinding(new, value))
        described.append({"layer": layer_of[owner], "synthetic": not anchor})

    body = relax.SeqExpr([relax.DataflowBlock(final)], rename(result))
    parameters = inputs + [variable for variable, _ in state.weights]
    function = relax.Function(parameters, body, ret_ty=main.ret_ty)
    function = function.with_attr("global_symbol", "main").with_attr("num_input", len(inputs))
    functions = {name: f for name, f in state.imported.module.functions_items() if name.name_hint != "main"}
    module = tvm.IRModule({**functions, "main": function})
    module = relax.transform.Normalize()(module)  # the types of tuple items and of the body
    relax.analysis.well_formed(module)  # throws
    layers = [{"name": state.imported.nodes[o].name, "op": state.imported.nodes[o].op} for o in sorted(groups)]
    weights = [(variable.name, array) for variable, array in state.weights]
    return Network(module, weights, layers, described, len(inputs))


def write_weights(weights, path):
    """Writes the raw little-endian elements; returns name, shape, dtype, offset, bytes of each."""
    described, offset = [], 0
    aside = f"{path}.tmp{os.getpid()}"
    try:
        with open(aside, "wb") as file:
            for name, array in weights:
                array = np.ascontiguousarray(array)
                file.write(b"\0" * (-offset % ALIGNMENT))
                offset += -offset % ALIGNMENT
                file.write(memoryview(array).cast("B"))
                described.append({"name": name, "shape": list(array.shape), "dtype": str(array.dtype),
                                  "offset": offset, "bytes": array.nbytes})  # fmt: skip
                offset += array.nbytes
        os.replace(aside, path)
    except OSError as error:
        if os.path.exists(aside):
            os.unlink(aside)
        raise Failure("io", f"cannot write {path}: {error.strerror}") from error
    return described
