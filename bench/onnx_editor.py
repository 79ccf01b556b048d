"""A copy of an ONNX model in the hand: one node, what stands around it, and the random numbers that mutants use."""

import numpy
import onnx
from onnx import helper, numpy_helper


class NoCounterpart(Exception):
    """The operator's change has no counterpart here."""


def words(count, seed):
    """The first numbers of splitmix64 from that seed."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype="uint64") * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


def uniform(count, seed):
    """The same in [0, 1)."""
    return (words(count, seed) >> numpy.uint64(11)).astype("float64") * 2.0**-53


def moves(shape, axes):
    """Whether permuting the axes of a tensor of that shape moves an element."""
    kept = [axis for axis in axes if shape[axis] != 1]
    return kept != sorted(kept)


class Editor:
    """A copy of a model, and the node of one layer in it."""

    def __init__(self, model, layer):
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        self.nodes = self.model.graph.node
        inferred = onnx.shape_inference.infer_shapes(model).graph
        self.shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
                       for value in [*inferred.value_info, *inferred.input, *inferred.output]}
        self.constants = {tensor.name: tensor for tensor in self.model.graph.initializer}
        self.shapes.update({name: list(tensor.dims) for name, tensor in self.constants.items()})
        self.casts = {}  # of constants, to what type
        for node in self.nodes:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = node.attribute[0].t
            elif node.op_type == "Cast" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]
                self.casts[node.output[0]] = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
        [self.at] = [i for i, node in enumerate(self.nodes) if node.name == layer]
        self.node = self.nodes[self.at]
        self.made = 0

    def shape(self, name):
        return list(self.shapes[name])

    def attribute(self, name, default):
        for attribute in self.node.attribute:
            if attribute.name == name:
                return helper.get_attribute_value(attribute)
        return default

    def attributes(self, *left_out):
        return {a.name: helper.get_attribute_value(a) for a in self.node.attribute if a.name not in left_out}

    def name(self):
        self.made += 1
        return f"{self.node.name}_mutated{self.made}"

    def constant(self, array):
        name = self.name()
        self.model.graph.initializer.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def array(self, name):
        array = numpy_helper.to_array(self.constants[name])
        return array.astype(self.casts[name]) if name in self.casts else array

    def insert(self, at, op, inputs, output, **attributes):
        self.nodes.insert(at, helper.make_node(op, inputs, [output], name=self.name(), **attributes))

    def chain(self, at, value, calls, output=None):
        """Nodes one after the other from `at` on; the name of the last one's result, and the next place."""
        for i, (op, more, attributes) in enumerate(calls):
            result = output if output and i == len(calls) - 1 else self.name()
            self.insert(at, op, [value, *more], result, **attributes)
            value, at = result, at + 1
        return value, at

    def before(self, argument, calls):
        """The calls on an argument."""
        value, at = self.chain(self.at, self.node.input[argument], calls)
        self.at = at
        self.node = self.nodes[at]
        self.node.input[argument] = value

    def after(self, calls):
        """The calls on the node's result."""
        output = self.node.output[0]
        self.node.output[0] = self.name()
        self.chain(self.at + 1, self.node.output[0], calls, output)

    def replace(self, op, inputs=None, **attributes):
        node = helper.make_node(op, list(self.node.input if inputs is None else inputs), list(self.node.output),
                                name=self.node.name, **attributes)
        self.node.CopyFrom(node)

    def become(self, calls):
        """The calls on the node's first input, in the node's place."""
        source, output = self.node.input[0], self.node.output[0]
        del self.nodes[self.at]
        self.chain(self.at, source, calls, output)

    def split_bias(self):
        """Takes a bias out of a Conv or Gemm, into an Add behind it; so a call's result has none."""
        if self.node.op_type in ("Conv", "Gemm") and len(self.node.input) == 3:
            bias = self.node.input.pop()
            if self.node.op_type == "Conv":
                bias = self.constant(self.array(bias).reshape(1, -1, 1, 1))
            output = self.node.output[0]
            self.node.output[0] = self.name()
            self.insert(self.at + 1, "Add", [self.node.output[0], bias], output)

    def shape_constant(self, shape):
        return self.constant(numpy.asarray(shape, "int64"))

    def reshaped(self, shape):
        return ("Reshape", [self.shape_constant(shape)], {})

    def cropped(self, shape):
        rank = len(shape)
        return ("Slice", [self.shape_constant([0] * rank), self.shape_constant(shape),
                          self.shape_constant(range(rank))], {})


def transposed(axes):
    return ("Transpose", [], {"perm": list(axes)})
