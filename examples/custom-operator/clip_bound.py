"""A mutation operator of one's own at level graph: the upper bound of a ReLU6 off by one.

`mod` is the network in Relax as the user knows it; a point is the name of a variable of its `main`.
"""

from mutatenn.operators import bindings, replace_binding
from tvm import relax


def points(mod):
    return [
        {"at": binding.var.name, "bound": number(binding.value.args[2])}
        for binding in bindings(mod)
        if isinstance(binding.value, relax.Call) and getattr(binding.value.op, "name", "") == "relax.clip"
    ]


def apply(mod, point):
    (clip,) = [binding.value for binding in bindings(mod) if binding.var.name == point["at"]]
    return replace_binding(mod, point["at"], relax.op.clip(clip.args[0], number(clip.args[1]), point["bound"] - 1))


def number(expr):
    return float(getattr(expr, "value", expr))
