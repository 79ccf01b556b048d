"""Graph mutants as edits of the ONNX model, written from what docs/operators.md says and not from the
operators' code: the second opinion that onnxruntime and TVM's default pipeline give."""

import numpy
import onnx
from onnx import helper, numpy_helper

ELEMENT_WISE = {"abs": "Abs", "ceil": "Ceil", "exp": "Exp", "floor": "Floor", "log": "Log", "negative": "Neg",
                "round": "Round", "sqrt": "Sqrt"}
ARITHMETIC = {"add": "Add", "divide": "Div", "maximum": "Max", "minimum": "Min", "multiply": "Mul", "power": "Pow",
              "subtract": "Sub"}
ACTIVATIONS = {"leaky_relu": ("LeakyRelu", {"alpha": 0.01}), "relu": ("Relu", {}), "sigmoid": ("Sigmoid", {}),
               "tanh": ("Tanh", {}), "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
               "identity": ("Identity", {})}
OF_RELAX = {"relax.nn.relu": "Relu", "relax.tanh": "Tanh", "relax.sigmoid": "Sigmoid", "relax.exp": "Exp",
            "relax.abs": "Abs"}


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


def activation(e, parameters, variant):
    word = sorted(parameters["to"])[variant]
    if word in ACTIVATIONS:
        op, attributes = ACTIVATIONS[word]
        e.become([(op, [], attributes)])
    elif word == "relu6":
        e.become([("Clip", [e.constant(numpy.float32(0)), e.constant(numpy.float32(6))], {})])
    else:  # x times something of x
        source, output = e.node.input[0], e.node.output[0]
        del e.nodes[e.at]
        if word == "gelu":
            scaled, at = e.chain(e.at, source, [("Mul", [e.constant(numpy.float32(2**-0.5))], {}), ("Erf", [], {}),
                                                ("Add", [e.constant(numpy.float32(1))], {}),
                                                ("Mul", [e.constant(numpy.float32(0.5))], {})])
        else:
            op, attributes = ACTIVATIONS[{"silu": "sigmoid", "hard_swish": "hard_sigmoid"}[word]]
            scaled, at = e.chain(e.at, source, [(op, [], attributes)])
        e.insert(at, "Mul", [source, scaled], output)


def arithmetic(e, parameters, variant):
    assert len(e.node.input) == 2, e.node
    e.node.op_type = ARITHMETIC[sorted(parameters["to"])[variant]]


def pooling(e, parameters, variant):
    if e.node.op_type == "GlobalAveragePool":
        e.node.op_type = "GlobalMaxPool"
    elif e.node.op_type == "AveragePool":
        kept = {a.name: helper.get_attribute_value(a) for a in e.node.attribute if a.name != "count_include_pad"}
        e.replace("MaxPool", **kept)
    elif e.node.op_type == "MaxPool":
        kept = {a.name: helper.get_attribute_value(a) for a in e.node.attribute
                if a.name not in ("storage_order", "dilations")}
        e.replace("AveragePool", count_include_pad=variant, **kept)
    else:
        raise NoCounterpart(e.node.op_type)


def average_pool(e, parameters, variant):
    counted = e.attribute("count_include_pad", 0)
    kept = {a.name: helper.get_attribute_value(a) for a in e.node.attribute if a.name != "count_include_pad"}
    e.replace("AveragePool", count_include_pad=1 - counted, **kept)


def permutations(rank):
    import itertools
    return list(itertools.permutations(range(rank)))  # in the order of the alphabet, the identity first


def operations(e, parameters, shape):
    """The operation's variants as chains of calls, for a tensor of that shape."""
    operation = parameters["operation"]
    if operation in ELEMENT_WISE:
        return [[(ELEMENT_WISE[operation], [], {})]]
    if operation == "clip":
        return [[("Clip", [e.constant(numpy.float32(-1)), e.constant(numpy.float32(1))], {})]]
    if operation == "transpose":
        axes = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
        return [[transposed(axes)]]
    return [[transposed(axes)] for axes in permutations(len(shape)) if moves(shape, axes)]


def insert_operation(e, parameters, variant):
    if parameters["order"] == "before":
        argument = parameters["arg"]
        e.before(argument, operations(e, parameters, e.shape(e.node.input[argument]))[variant])
    else:
        shape = e.shape(e.node.output[0])
        e.split_bias()
        e.after(operations(e, parameters, shape)[variant])


def insert_op(e, parameters, variant):
    op = sorted(parameters["op"])[variant]
    if op not in OF_RELAX:
        raise NoCounterpart(op)
    if parameters["order"] == "before":
        e.before(parameters["arg"], [(OF_RELAX[op], [], {})])
    else:
        e.split_bias()
        e.after([(OF_RELAX[op], [], {})])


def replace_op(e, parameters, variant):
    op = sorted(parameters["to"])[variant]
    if op not in OF_RELAX or len(parameters["from"]) > 1 or parameters["from"][0] != "relax.nn.relu":
        raise NoCounterpart(op)
    e.become([(OF_RELAX[op], [], {})])


def dense_input(e, parameters, variant):
    n = e.shape(e.node.input[parameters["arg"]])[-1]
    bound = numpy.sqrt(3.0 / n)
    weight = (bound * (2 * uniform(n * n, parameters["seed"]) - 1)).astype("float32").reshape(n, n)
    e.before(parameters["arg"], [("MatMul", [e.constant(weight)], {})])


def swap_arguments(e, parameters, variant):
    e.node.input[0], e.node.input[1] = e.node.input[1], e.node.input[0]


def concat(e, parameters, variant):
    shape, axis = e.shape(e.node.input[0]), e.attribute("axis", 0)
    changes = []
    if "axis" in parameters["change"]:
        for other in range(len(shape)):
            if any(extent != 1 for extent in shape[min(axis, other):max(axis, other)]):
                changes.append(other)
    if "order" in parameters["change"]:
        changes.append("order")
    if changes[variant] == "order":
        e.replace("Concat", list(reversed(e.node.input)), axis=axis)
    else:
        result = e.shape(e.node.output[0])
        e.replace("Concat", axis=changes[variant])
        e.after([e.reshaped(result)])


def batch_norm(e, parameters, variant):
    epsilon = e.attribute("epsilon", 1e-5)
    changes = []
    if "axis" in parameters["change"]:
        changes += [0, 2]
    if "epsilon" in parameters["change"]:
        changes.append("epsilon")
    if "statistics" in parameters["change"]:
        changes.append("statistics")
    if changes[variant] == "epsilon":
        e.replace("BatchNormalization", epsilon=parameters["epsilon"])
    elif changes[variant] == "statistics":
        x, scale, shift, mean, variance = e.node.input
        e.replace("BatchNormalization", [x, scale, shift, variance, mean], epsilon=epsilon)
    else:
        axes = list(range(len(e.shape(e.node.input[0]))))
        other = changes[variant]
        axes[1], axes[other] = axes[other], axes[1]
        e.before(0, [transposed(axes)])
        e.after([transposed(axes)])


class Window:
    """A convolution's numbers, and the pads that keep its result's shape when they change."""

    def __init__(self, e):
        self.data, self.weight = e.shape(e.node.input[0]), e.shape(e.node.input[1])
        self.result = e.shape(e.node.output[0])
        self.strides = list(e.attribute("strides", [1, 1]))
        self.dilations = list(e.attribute("dilations", [1, 1]))
        self.pads = list(e.attribute("pads", [0, 0, 0, 0]))
        self.group = e.attribute("group", 1)
        if e.attribute("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
            begin, end = [], []
            for i in range(2):
                total = max(0, (self.result[2 + i] - 1) * self.strides[i] + (self.weight[2 + i] - 1) * self.dilations[i]
                            + 1 - self.data[2 + i])
                small, large = total // 2, total - total // 2
                upper = e.attribute("auto_pad", b"") == b"SAME_UPPER"
                begin.append(small if upper else large)
                end.append(large if upper else small)
            self.pads = begin + end

    def write(self, e, strides=None, pads=None, dilations=None, group=None):
        e.replace("Conv", strides=strides or self.strides, pads=self.pads if pads is None else pads,
                  dilations=dilations or self.dilations, group=group or self.group)

    def write_windows(self, e, strides, begin, dilations):
        end = []
        for i in range(2):
            end.append((self.result[2 + i] - 1) * strides[i] + (self.weight[2 + i] - 1) * dilations[i] + 1
                       - self.data[2 + i] - begin[i])
        self.write(e, strides, [*begin, *(max(0, pad) for pad in end)], dilations)
        if any(-pad >= stride for pad, stride in zip(end, strides)):
            e.after([e.cropped(self.result)])


def convolution(e, parameters, variant):
    w = Window(e)
    out, inputs, high, wide = w.weight
    changes = []

    def weights(change):
        def apply():
            w.write(e)
            e.node.input[1] = e.constant(change(e.array(e.node.input[1])))
        return apply

    if "dilation" in parameters["change"] and (high, wide) != (1, 1):
        other = [2, 2] if w.dilations == [1, 1] else [1, 1]
        changes.append(lambda: w.write_windows(e, w.strides, w.pads[:2], other))
    if "groups" in parameters["change"]:
        def groups(group, change):
            weights(change)()
            e.replace("Conv", strides=w.strides, pads=w.pads, dilations=w.dilations, group=group)
        if inputs % 2 == 0 and out % (2 * w.group) == 0:
            changes.append(lambda: groups(2 * w.group, lambda a: a[:, : inputs // 2]))
        if w.group % 2 == 0:
            changes.append(lambda: groups(w.group // 2, lambda a: numpy.concatenate([a, a], axis=1)))
    if "kernel_flipped" in parameters["change"] and (high, wide) != (1, 1):
        changes.append(weights(lambda a: a[:, :, ::-1, ::-1]))
    if "kernel_layout" in parameters["change"]:
        for shape, axes in (((out, high, wide, inputs), (0, 3, 1, 2)), ((high, wide, inputs, out), (3, 2, 0, 1))):
            if moves(shape, axes):
                changes.append(weights(lambda a, s=shape, x=axes: a.reshape(s).transpose(x)))
    if "layout" in parameters["change"]:
        n, c, h, width = w.data

        def layout():
            w.write(e)
            e.split_bias()
            e.before(0, [e.reshaped([n, h, width, c]), transposed([0, 3, 1, 2])])
            e.after([transposed([0, 2, 3, 1]), e.reshaped(w.result)])
        if moves([n, h, width, c], [0, 3, 1, 2]) or moves(w.result, [0, 2, 3, 1]):
            changes.append(layout)
    if "padding" in parameters["change"]:
        changes.append(lambda: w.write_windows(e, w.strides, [p + 1 for p in w.pads[:2]], w.dilations))
        if any(w.pads[:2]):
            changes.append(
                lambda: w.write_windows(e, w.strides, [max(0, p - 1) for p in w.pads[:2]], w.dilations))
    if "padding_mode" in parameters["change"] and any(w.pads):
        def padding_mode():
            w.write(e, pads=[0, 0, 0, 0])
            top, left, bottom, right = w.pads
            e.before(0, [("Pad", [e.shape_constant([0, 0, top, left, 0, 0, bottom, right])], {"mode": "edge"})])
        changes.append(padding_mode)
    if "stride" in parameters["change"] and w.result[2:] != [1, 1]:
        stride = [2, 2] if w.strides == [1, 1] else [1, 1]
        changes.append(lambda: w.write_windows(e, stride, w.pads[:2], w.dilations))
    changes[variant]()


def data_inputs(e, node):
    return list(dict.fromkeys(name for name in node.input if name and name not in e.constants))


def layer_removed(e, parameters, variant):
    source = data_inputs(e, e.node)[variant]
    e.replace("Identity", [source])


def layer_duplicated(e, parameters, variant):
    again = onnx.NodeProto()
    again.CopyFrom(e.node)
    [source] = data_inputs(e, e.node)
    e.node.output[0] = e.name()
    again.name += "_again"
    again.input[list(again.input).index(source)] = e.node.output[0]
    e.nodes.insert(e.at + 1, again)


def layers_switched(e, parameters, variant):
    [between] = data_inputs(e, e.node)
    [first] = [node for node in e.nodes if between in node.output]
    [source] = data_inputs(e, first)
    moved = onnx.NodeProto()
    moved.CopyFrom(first)
    moved.name += "_moved"
    moved.output[0] = e.node.output[0]
    e.node.input[list(e.node.input).index(between)] = source
    e.node.output[0] = e.name()
    moved.input[list(moved.input).index(source)] = e.node.output[0]
    e.nodes.insert(e.at + 1, moved)


def layer_added(e, parameters, variant):
    shape = e.shape(e.node.output[0])
    clip = e.node.op_type == "Clip" and e.array(e.node.input[1]).item() == 0
    never_negative = clip or e.node.op_type in ("Relu", "Sigmoid", "Softmax")
    planes = len(shape) == 4 and shape[2] * shape[3] > 1
    window = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1]}
    calls = {"avg_pool": ("AveragePool", [], window), "max_pool": ("MaxPool", [], window), "relu": ("Relu", [], {}),
             "softmax": ("Softmax", [], {"axis": 1}), "tanh": ("Tanh", [], {})}
    kinds = [kind for kind in sorted(parameters["kind"])
             if (planes or not kind.endswith("pool")) and not (kind == "relu" and never_negative)]
    e.after([calls[kinds[variant]]])


def chosen(numbers, ratio, least):
    """Ascending: those below the ratio, or the `least` lowest where they are fewer."""
    below = numpy.flatnonzero(numbers < ratio)
    return below if len(below) >= least else numpy.sort(numpy.argsort(numbers, kind="stable")[:least])


def change_weights(e, change):
    """`change` of the weights as (neurons, weights of each), and as (groups, neurons, inputs, window)."""
    weight = e.array(e.node.input[1]).astype("float32").copy()
    if e.node.op_type == "Conv":
        group = e.attribute("group", 1)
        as_groups = weight.reshape(group, weight.shape[0] // group, weight.shape[1], -1)
        change(as_groups)
    else:  # as (1, neurons, inputs, 1), a view
        transposed_weight = e.node.op_type == "Gemm" and e.attribute("transB", 0)
        change((weight if transposed_weight else weight.T)[None, :, :, None])
    e.node.input[1] = e.constant(weight)


def neurons(view):
    """(group, neuron) of each neuron in order."""
    return [(g, n) for g in range(view.shape[0]) for n in range(view.shape[1])]


def in_order(e, view):
    """Positions of all weights in the order of the imported graph: OIHW, and inputs x outputs of a matrix."""
    places = numpy.arange(view.size).reshape(view.shape)
    return (places if e.node.op_type == "Conv" else places.transpose(0, 2, 1, 3)).reshape(-1)


def set_flat(view, places, values):
    view[numpy.unravel_index(places, view.shape)] = values


def gaussian_fuzzing(e, parameters, variant):
    def change(view):
        places = in_order(e, view)
        hit = chosen(uniform(view.size, parameters["seed"]), parameters["ratio"], 1)
        pairs = uniform(view.size + 2 * len(hit), parameters["seed"])[view.size:].reshape(-1, 2)
        noise = numpy.sqrt(-2 * numpy.log(1 - pairs[:, 0])) * numpy.cos(2 * numpy.pi * pairs[:, 1])
        scale = parameters["deviation"] * view.astype("float64").std()
        old = view[numpy.unravel_index(places[hit], view.shape)].astype("float64")
        set_flat(view, places[hit], (old + scale * noise).astype("float32"))
    change_weights(e, change)


def weight_shuffling(e, parameters, variant):
    def change(view):
        all_neurons = neurons(view)
        hit = chosen(uniform(len(all_neurons), parameters["seed"]), parameters["ratio"], 1)
        size = view.shape[2] * view.shape[3]
        keys = uniform(len(all_neurons) + len(hit) * size, parameters["seed"])[len(all_neurons):].reshape(-1, size)
        for n, numbers in zip(hit, keys):
            old = view[all_neurons[n]].reshape(-1).copy()
            view[all_neurons[n]] = old[numpy.argsort(numbers, kind="stable")].reshape(view.shape[2:])
    change_weights(e, change)


def neuron_effect_blocking(e, parameters, variant):
    def change(view):
        inputs = view.shape[2]
        for i in chosen(uniform(view.shape[0] * inputs, parameters["seed"]), parameters["ratio"], 1):
            view[i // inputs, :, i % inputs] = 0
    change_weights(e, change)


def neuron_activation_inverse(e, parameters, variant):
    def change(view):
        all_neurons = neurons(view)
        for n in chosen(uniform(len(all_neurons), parameters["seed"]), parameters["ratio"], 1):
            view[all_neurons[n]] *= -1
    change_weights(e, change)


def neuron_switch(e, parameters, variant):
    def change(view):
        all_neurons = neurons(view)
        hit = chosen(uniform(len(all_neurons), parameters["seed"]), parameters["ratio"], 2)
        for a, b in zip(hit[0::2], hit[1::2]):
            old = view[all_neurons[a]].copy()
            view[all_neurons[a]] = view[all_neurons[b]]
            view[all_neurons[b]] = old
    change_weights(e, change)


def weight_bit_flip(e, parameters, variant):
    def change(view):
        numbers = words(2, parameters["seed"])
        place = in_order(e, view)[int(numbers[0]) % view.size]
        bit = parameters["bit"] if parameters["bit"] >= 0 else int(numbers[1]) % 32
        old = view[numpy.unravel_index(place, view.shape)]
        flipped = (old.view("uint32") ^ numpy.uint32(1 << bit)).view("float32")
        set_flat(view, place, flipped)
    change_weights(e, change)


def softmax_removed(e, parameters, variant):
    e.replace("Identity", [e.node.input[0]])


def softmax_axis(e, parameters, variant):
    rank = len(e.shape(e.node.input[0]))
    axis = e.attribute("axis", -1) % rank
    e.replace(e.node.op_type, axis=[other for other in range(rank) if other != axis][variant])


EDITS = {function.__name__: function for function in (
    activation, arithmetic, average_pool, batch_norm, concat, convolution, dense_input, gaussian_fuzzing, insert_op,
    insert_operation, layer_added, layer_duplicated, layer_removed, layers_switched, neuron_activation_inverse,
    neuron_effect_blocking, neuron_switch, pooling, replace_op, softmax_axis, softmax_removed, swap_arguments,
    weight_bit_flip, weight_shuffling)}


def edit(model, operator, parameters, layer, variant=0):
    """A copy of the model with a graph mutant's change at the node named `layer`. NoCounterpart where ONNX or
    this module has none."""
    level, _, name = operator.partition(".")
    if level != "graph" or name not in EDITS:
        raise NoCounterpart(operator)
    editor = Editor(model, layer)
    EDITS[name](editor, parameters, variant)
    return editor.model
