"""Converters from ONNX nodes to Relax that replace TVM's stock ones where those spoil what mutation
operators must see (one node of the user's = one operator), fuse badly, or are silently wrong.
"""

import numpy as np
from tvm import relax
from tvm.relax import op as R

from mutatenn.network import is_constant, static_shape

_CONVOLUTIONS = tuple(f"relax.nn.conv{n}d" for n in (1, 2, 3))
# The Relax operators that are the node; what else a converter emits for it is synthetic.
ANCHORS = {
    "Conv": _CONVOLUTIONS,
    "ConvTranspose": tuple(name + "_transpose" for name in _CONVOLUTIONS),
    "Gemm": ("relax.matmul",),
    "MatMul": ("relax.matmul",),
    "BatchNormalization": ("relax.nn.batch_norm",),
    "Softmax": ("relax.nn.softmax",),
    "LogSoftmax": ("relax.nn.log_softmax",),
    "Sum": ("relax.add",),
    "Max": ("relax.maximum",),
    "Min": ("relax.minimum",),
    "LRN": ("relax.divide",),
}


def value_of(constant):
    return constant.value.numpy()


def _scalar(expr):
    return value_of(expr).reshape(()).item()


def _clip(importer, inputs, attributes):
    """One operator, without the stock converter's NaN tests on its bounds."""
    data, bounds = inputs[0], []
    for at, key in ((1, "min"), (2, "max")):
        bound = inputs[at]
        if bound is not None and not is_constant(bound):
            return None
        bounds.append(_scalar(bound) if bound is not None else attributes.get(key))
    low, high = bounds
    dtype = str(data.ty.dtype)
    if low is None and high is None:
        return data
    if high is None:
        return R.nn.relu(data) if low == 0 else R.maximum(data, relax.const(low, dtype))
    if low is None:
        return R.minimum(data, relax.const(high, dtype))
    return R.clip(data, low, high)


def _chain(operator):
    """Sum, Max, Min as operators of two, which fuse; stock stacks the inputs and reduces."""

    def convert(importer, inputs, attributes):
        result = inputs[0]
        for other in inputs[1:]:
            result = importer.emit(operator(result, other))
        return result

    return convert


def _mean(importer, inputs, attributes):
    total = _chain(R.add)(importer, inputs, attributes)
    return R.multiply(total, relax.const(1.0 / len(inputs), str(inputs[0].ty.dtype)))


def _batch_norm(importer, inputs, attributes):
    """One batch_norm call for inference; its running statistics are not passed on."""
    if attributes.get("training_mode", 0) or not attributes.get("spatial", 1):
        raise ValueError("only inference, with one mean a channel, is supported")
    if len({str(value.ty.dtype) for value in inputs}) > 1:
        return None
    data, gamma, beta, mean, variance = inputs[:5]
    result = R.nn.batch_norm(data, gamma, beta, mean, variance, axis=1,
                             epsilon=attributes.get("epsilon", 1e-5),
                             momentum=attributes.get("momentum", 0.9), training=False)  # fmt: skip
    return importer.emit(relax.TupleGetItem(importer.emit(result), 0))


def _dropout(importer, inputs, attributes):
    return inputs[0]


def _gemm(importer, inputs, attributes):
    """matmul with a (K,N) matrix, then add; alpha and beta go into constants where there are some."""
    a, b, c = inputs[0], inputs[1], inputs[2]
    dtype = str(a.ty.dtype)
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)

    def scaled(value, factor):
        if factor == 1.0:
            return value
        if is_constant(value):
            return importer.constant(value_of(value) * np.asarray(factor, dtype), like=value)
        return importer.emit(R.multiply(value, relax.const(factor, dtype)))

    if attributes.get("transA", 0):
        a = importer.emit(R.permute_dims(a, [1, 0]))
    if attributes.get("transB", 0):
        b = importer.emit(R.permute_dims(b, [1, 0])) if not is_constant(b) else importer.transposed(b)
    scale_matrix = is_constant(b)
    result = importer.emit(R.matmul(a, scaled(b, alpha) if scale_matrix else b))
    if not scale_matrix:
        result = scaled(result, alpha)
    if c is not None and beta != 0:
        result = R.add(result, scaled(c, beta))
    return result


def _same_pads(attributes, sizes, kernel):
    """ONNX's begin and end padding for auto_pad SAME_UPPER and SAME_LOWER."""
    rank = len(sizes)
    strides = attributes.get("strides", (1,) * rank)
    dilations = attributes.get("dilations", (1,) * rank)
    before, after = [], []
    for size, window, stride, dilation in zip(sizes, kernel, strides, dilations):
        total = max(0, (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size)
        small, large = total // 2, total - total // 2
        upper = attributes["auto_pad"] == b"SAME_UPPER"
        before.append(small if upper else large)
        after.append(large if upper else small)
    return before + after


def _convolution(importer, inputs, attributes):
    """Stock, but SAME padding becomes numbers (stock: an extra pad kernel)."""
    if attributes.get("auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER"):
        shape, kernel = static_shape(inputs[0].ty), static_shape(inputs[1].ty)
        if shape is None or kernel is None:
            return None
        attributes["pads"] = _same_pads(attributes, shape[2:], kernel[2:])
        attributes["auto_pad"] = b"NOTSET"
    elif attributes.get("auto_pad") == b"VALID":
        attributes.update(auto_pad=b"NOTSET", pads=[0] * (2 * (inputs[0].ty.ndim - 2)))
    return None


def _transposed_convolution(importer, inputs, attributes):
    """Stock, but refuses what stock gets wrong without a word."""
    if "output_shape" in attributes:
        raise ValueError("the attribute output_shape is not supported")
    return None


def _resize(importer, inputs, attributes):
    """Stock, but refuses what stock gets wrong without a word."""
    if attributes.get("antialias", 0):
        raise ValueError("the attribute antialias is not supported")
    shape, scales = static_shape(inputs[0].ty), inputs[2]
    if shape and scales is not None and is_constant(scales) and value_of(scales).size == len(shape):
        sizes = np.asarray(shape) * value_of(scales).astype(np.float64)
        if np.abs(sizes - np.round(sizes)).max() > 1e-3:
            raise ValueError("scales that give no whole size are not supported")
    return None


def _space_to_depth(importer, inputs, attributes):
    """Stock, but refuses what stock gets wrong without a word."""
    if attributes.get("mode", b"DCR") != b"DCR":
        raise ValueError("only the mode DCR is supported")
    return None


def _lrn(importer, inputs, attributes):
    """x / (bias + alpha/n * sum of squares of n channels)^beta, with square roots for the usual beta."""
    data, shape = inputs[0], static_shape(inputs[0].ty)
    size, beta = int(attributes["size"]), float(attributes.get("beta", 0.75))
    if shape is None or len(shape) != 4:
        return None
    before, after = (size - 1) // 2, size // 2
    squares = R.expand_dims(R.multiply(data, data), 1)
    mean = R.nn.avg_pool3d(squares, (size, 1, 1), (1, 1, 1), [before, 0, 0, after, 0, 0],
                           layout="NCDHW", count_include_pad=True)  # fmt: skip
    mean = R.squeeze(mean, [1])
    scale = R.multiply(mean, relax.const(float(attributes.get("alpha", 1e-4)), "float32"))
    scale = importer.emit(R.add(scale, relax.const(float(attributes.get("bias", 1.0)), "float32")))
    if beta == 0.75:
        root = importer.emit(R.sqrt(scale))
        power = R.multiply(root, R.sqrt(root))
    elif beta == 0.5:
        power = R.sqrt(scale)
    else:
        power = R.power(scale, relax.const(beta, "float32"))
    return R.divide(data, power)


def _pad(importer, inputs, attributes):
    """relax.nn.pad; stock calls an anonymous kernel."""
    mode = {b"constant": "constant", b"edge": "replicate", b"reflect": "reflect", b"wrap": "circular"}.get(
        attributes.get("mode", b"constant"))  # fmt: skip
    rank = inputs[0].ty.ndim
    pads, fill, axes = inputs[1], inputs[2], inputs[3]
    if mode is None or any(value is not None and not is_constant(value) for value in (pads, fill, axes)):
        return None
    amounts = list(attributes["pads"]) if pads is None else value_of(pads).tolist()
    fill = attributes.get("value", 0.0) if fill is None else _scalar(fill)
    axes = range(rank) if axes is None else [axis % rank for axis in value_of(axes).tolist()]
    width = [0] * (2 * rank)
    for at, axis in enumerate(axes):
        width[2 * axis], width[2 * axis + 1] = int(amounts[at]), int(amounts[at + len(axes)])
    if min(width) < 0:
        raise ValueError("negative padding (cropping) is not supported")
    if max(width) == 0:
        return inputs[0]
    return R.nn.pad(inputs[0], width, pad_mode=mode, pad_value=float(fill))


# A converter returns the result, or None for "as the stock importer does it" (it may have changed
# the attributes before).
OVERRIDES = {
    "Clip": _clip, "Sum": _chain(R.add), "Max": _chain(R.maximum), "Min": _chain(R.minimum),
    "Mean": _mean, "BatchNormalization": _batch_norm, "Dropout": _dropout, "Gemm": _gemm,
    "Conv": _convolution, "ConvTranspose": _transposed_convolution, "LRN": _lrn, "Pad": _pad,
    "Resize": _resize, "SpaceToDepth": _space_to_depth,
}  # fmt: skip
