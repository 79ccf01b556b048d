"""A mutation operator of one's own at level code: a maximum is left out, its first operand stays.

`mod` holds one kernel; a point is the name of one of its blocks. `apply` gets the kernel as it was scheduled for
a target: the block is found by its name, the loops around it are the target's.
"""

from mutatenn.operators import blocks, map_block
from tvm import tirx

LEVEL = "code"


def points(mod):
    return [name for name in blocks(mod) if count(mod, name) > 0]


def apply(mod, point):
    return map_block(mod, point, lambda node: node.a if isinstance(node, tirx.Max) else node)


def count(mod, name):
    found = []
    map_block(mod, name, lambda node: (found.append(node) if isinstance(node, tirx.Max) else None, node)[1])
    return len(found)
