"""ONNX to Relax through TVM's importer, with our loop over the nodes, the converters of
onnx_converters.py, and a record of the node that each variable came from.

Nodes whose inputs are all constant are computed here by numpy (weights behind a Cast, shapes).
"""

import numpy as np
import onnx
import onnx.checker
import tvm.relax.frontend.onnx.onnx_frontend as stock
from onnx import helper, numpy_helper
from tvm import relax

from mutatenn.network import Failure, Imported, NameSupply, Node, first_line, is_constant, static_shape
from mutatenn.onnx_converters import ANCHORS, OVERRIDES, value_of

# A constant made of one other by these keeps its name.
_KEEPS_NAME = {"Cast", "Identity", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "DequantizeLinear"}


class Importer(stock.ONNXGraphImporter):
    """The stock importer with our loop over the nodes: folding, overrides, the record of origins."""

    def __init__(self, path):
        super().__init__(shape_dict=None, dtype_dict=None, keep_params_in_input=False)
        self.path = path
        self.origins = []  # Node of every converted node
        self.constant_names = {}
        self.layer_names = NameSupply()
        self.transposes = {}

    def emit(self, expr):
        return self.bb.emit(expr)

    def remember(self, constant, name):
        self.constant_names.setdefault(constant.__chandle__(), (constant, name))
        return constant

    def constant(self, array, like=None, name=None):
        if like is not None:
            name = self.constant_names.get(like.__chandle__(), (None, None))[1]
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        return self.remember(relax.const(array, str(array.dtype)), name)

    def transposed(self, matrix):
        key = matrix.__chandle__()
        if key not in self.transposes:
            self.transposes[key] = self.constant(value_of(matrix).T, like=matrix)
        return self.transposes[key]

    def _check_for_unsupported_ops(self, graph):
        known = stock._get_convert_map()
        missing = {}
        for node in graph.node:
            if node.op_type not in known and node.op_type not in OVERRIDES:
                domain = f"{node.domain}." if node.domain not in ("", "ai.onnx") else ""
                missing.setdefault(domain + node.op_type, node.name or node.output[0])
        if missing:
            listed = ", ".join(f"{op} (first in node {name})" for op, name in missing.items())
            raise Failure("unsupported", f"{self.path}: TVM cannot import the operator {listed}")

    def _parse_graph_initializers(self, graph):
        super()._parse_graph_initializers(graph)
        for initializer in graph.initializer:
            self.remember(self._nodes[initializer.name], initializer.name)

    def _construct_nodes(self, graph):
        for node in graph.node:
            try:
                self._convert_node(node)
            except Failure:
                raise
            except Exception as error:
                name = node.name or node.output[0]
                message = f"{self.path}: TVM cannot import node {name} ({node.op_type}): {first_line(error)}"
                raise Failure("unsupported", message) from error
        for output in graph.output:
            if output.name not in self._nodes:
                raise Failure("unsupported", f"{self.path}: TVM does not compute the output {output.name}")

    def _convert_node(self, node):
        for name in node.input:
            if name and name not in self._nodes:
                raise ValueError(f"it reads {name}, which TVM does not compute")
        inputs = stock.onnx_input(self._nodes[name] if name else None for name in node.input)
        arrays = self._fold(node, inputs)
        if arrays is not None:
            same_name = node.op_type in _KEEPS_NAME
            for name, array in zip(node.output, arrays):
                if isinstance(array, relax.Expr):
                    self._nodes[name] = array
                else:
                    like = inputs[0] if same_name and inputs else None
                    self._nodes[name] = self.constant(array, like=like, name=name)
            return

        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        attributes = {key: tuple(value) if isinstance(value, list) else value
                      for key, value in attributes.items() if value != []}  # fmt: skip
        attributes["tvm_custom"] = {"name": node.name, "num_outputs": len(node.output)}
        override = OVERRIDES.get(node.op_type)
        result = override(self, inputs, attributes) if override else None
        if result is None:
            result = self._convert_operator(node.op_type, inputs, attributes, self.opset)
        results = self._bind(result)
        if len(results) < len([name for name in node.output if name]) and node.op_type != "Dropout":
            # Missing ones (batch norm's statistics) are an error only where something reads them.
            results += [None] * (len(node.output) - len(results))
        for name, value in zip(node.output, results):
            if value is not None:
                self._nodes[name] = value
        name = self.layer_names.unique(node.name or node.output[0])
        self.origins.append(Node(name, node.op_type, ANCHORS.get(node.op_type, ()), results))

    def _bind(self, result):
        """Emits what a converter returned; the list of its results, each a variable or constant."""
        if isinstance(result, relax.Tuple):
            return [value for item in result.fields for value in self._bind(item)]
        if isinstance(result, relax.Call | relax.TupleGetItem):
            result = self.emit(result)
        if isinstance(result.ty, relax.TupleType):
            return [self.emit(relax.TupleGetItem(result, at)) for at in range(len(result.ty.fields))]
        return [result]

    def _fold(self, node, inputs):
        """The outputs as arrays where they depend on constants and shapes only, else None."""
        op = node.op_type
        if op in ("Shape", "Size") and inputs[0] is not None:
            shape = static_shape(inputs[0].ty)
            if shape is None:
                return None
            if op == "Size":
                return [np.asarray(np.prod(shape, dtype=np.int64))]
            bounds = {a.name: a.i for a in node.attribute}
            return [np.asarray(shape, np.int64)[bounds.get("start", 0) : bounds.get("end")]]
        if any(value is not None and not is_constant(value) for value in inputs):
            return None
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if any(isinstance(value, onnx.GraphProto) for value in attributes.values()):
            return None
        if op == "Identity":
            return [inputs[0]]
        if op == "Constant" and "value" in attributes:
            return [numpy_helper.to_array(attributes["value"])]
        if op == "Transpose":
            return [np.transpose(value_of(inputs[0]), attributes.get("perm"))]
        if op == "Cast":
            return [value_of(inputs[0]).astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))]
        return self._evaluate(node, inputs)

    def _evaluate(self, node, inputs):
        from onnx.reference import ReferenceEvaluator  # slow to import, seldom needed

        values = {name: value_of(value) for name, value in zip(node.input, inputs) if name}
        kinds = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
                 for name, value in values.items()]  # fmt: skip
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        graph = helper.make_graph([node], "constant", kinds, outputs)
        domains = [helper.make_opsetid("", self.opset)]
        if node.domain not in ("", "ai.onnx"):
            return None
        try:
            results = ReferenceEvaluator(helper.make_model(graph, opset_imports=domains)).run(None, values)
        except Exception:
            return None  # the importer may know it
        return results if all(isinstance(result, np.ndarray) for result in results) else None


def _load(path):
    try:
        model = onnx.load(path)
    except OSError as error:
        raise Failure("invalid_input", f"{path}: cannot be read: {error.strerror or first_line(error)}") from error
    except Exception as error:
        message = f"{path}: not an ONNX model, or a damaged one ({first_line(error)})"
        raise Failure("invalid_input", message) from error
    if not model.graph.node:
        raise Failure("invalid_input", f"{path}: not an ONNX model: it holds no nodes")
    if model.functions:
        from onnx import inliner

        model = inliner.inline_local_functions(model)
    return model


def _fix_input_sizes(path, graph):
    """An open batch dimension becomes 1; any other open dimension is refused by name."""
    constants = {initializer.name for initializer in graph.initializer}
    for value in graph.input:
        if value.name in constants:
            continue
        if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            raise Failure("unsupported", f"{path}: input {value.name} is no tensor with a known number of dimensions")
        for at, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.dim_value > 0:
                continue
            if at > 0:
                symbol = dimension.dim_param or "?"
                raise Failure("unsupported",
                              f"{path}: input {value.name}: the size of dimension {at} is open ({symbol}); "
                              "export the model with fixed sizes (only the batch, dimension 0, may be open: "
                              "it becomes 1)")  # fmt: skip
            dimension.dim_value = 1


def import_onnx(path):
    """The Imported network of an ONNX file; Failure with one line naming the file otherwise."""
    model = _load(path)
    importer = Importer(path)
    importer._check_for_unsupported_ops(model.graph)
    try:
        onnx.checker.check_model(path if model.ByteSize() > 1 << 30 else model)
    except Exception as error:
        raise Failure("invalid_input", f"{path}: not a valid ONNX model: {first_line(error)}") from error
    _fix_input_sizes(path, model.graph)
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)
    try:
        module = importer.from_onnx(model.graph, opset)
    except Failure:
        raise
    except Exception as error:
        raise Failure("tvm", f"{path}: TVM cannot import it: {first_line(error)}") from error
    return Imported(module, importer.origins, importer.constant_names, importer._num_input)
