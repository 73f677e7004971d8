"""Each operation in the words of ONNX, opset 18.

A translation gets the file in the making, `t`, and the arguments of the operation; it adds nodes to
the file and returns the name of the result. `t.value(i)` is the name of argument i.
"""

import numpy as np

from .. import functional as F
from ..engine.rules.copies import cast
from ..engine.rules.einsum import contract
from ..engine.rules.indexing import scatter
from ..engine.rules.joining import join
from ..engine.tensor import getitem
from ..functional.activations import erf
from ..functional.attention import textbook_attention
from ..functional.convolution import textbook_conv2d, textbook_conv_transpose2d
from ..functional.folding import pair
from ..functional.pooling import textbook_max_pool2d
from .recurrent import RECURRENT

__all__ = ["TRANSLATIONS"]


def _same_in_onnx(kind):
    """For an operation all of whose arguments are numbers of the result's dtype."""
    return lambda t, *inputs: t.add(kind, *t.values())


# Activations -------------------------------------------------------------------------------------


def _softplus(t, x, beta=1.0, threshold=20.0):
    """Softplus(β x) / β, and x itself where β x > threshold."""
    scaled = t.add("Mul", t.value(0), t.constant(beta, x.dtype))
    smooth = t.add("Div", t.add("Softplus", scaled), t.constant(beta, x.dtype))
    is_large = t.add("Greater", scaled, t.constant(threshold, x.dtype))
    return t.add("Where", is_large, t.value(0), smooth)


def _hardtanh(t, x, min_val=-1.0, max_val=1.0):
    return t.add("Clip", t.value(0), t.constant(min_val, x.dtype), t.constant(max_val, x.dtype))


def _prelu(t, x, weight):
    """ONNX aligns the slopes with the last axes, so that one a channel needs a shape of its own."""
    slope = t.value(1)
    if len(weight) > 1 and x.ndim > 2:
        slope = t.add("Reshape", slope, t.constant([-1] + [1] * (x.ndim - 2)))
    return t.add("PRelu", t.value(0), slope)


def _logaddexp(t, a, b):
    """log(exp a + exp b) = b + Softplus(a - b)."""
    return t.add("Add", t.value(1), t.add("Softplus", t.add("Sub", *t.values())))


# Reductions and shapes ---------------------------------------------------------------------------


def _reduction(kind):
    def translate(t, x, axis=None, keepdims=False):
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
        return t.add(kind, t.value(0), t.constant(axes), keepdims=int(keepdims))

    return translate


def _reshape(t, x, shape):
    """An axis that differs between the batches becomes -1, of which ONNX allows one."""
    sizes = [m if m == n else -1 for m, n in zip(t.node.shape, t.twin.shape, strict=True)]
    if sizes.count(-1) > 1:
        t.refuse("more than one axis")
    return t.add("Reshape", t.value(0), t.constant(sizes))


def _broadcast_to(t, x, shape):
    sizes = []
    for m, n in zip(t.node.shape, t.twin.shape, strict=True):
        if t.is_batch(m, n):
            sizes.append(t.add("Shape", "x", start=0, end=1))
        elif m == n:
            sizes.append(t.constant([m]))
        else:
            t.refuse("the shape")
    return t.add("Expand", t.value(0), t.add("Concat", *sizes, axis=0))


def _transpose(t, x, axes=None):
    order = np.arange(x.ndim)
    order = order[::-1] if axes is None else order[list(axes)]
    return t.add("Transpose", t.value(0), perm=order)


def _einsum(t, subscripts, *operands):
    names = [t.value(i + 1) for i in range(len(operands))]
    return t.add("Einsum", *names, equation=subscripts)


# Indices -----------------------------------------------------------------------------------------


def _getitem(t, x, index):
    """Axis by axis: a new axis, a number or an array of integers, or a slice."""
    parts = _parts(index, x.ndim)
    twins = _parts(t.twin.inputs[1], x.ndim)
    advanced = [p for p in parts if p is not None and not isinstance(p, slice)]
    has_array = any(np.ndim(p) for p in advanced)
    if has_array and (len(advanced) > 1 or advanced[0].dtype == bool):  # NumPy's rules are others
        raise TypeError(
            f"to_onnx: {t.layer()} has an index by a mask, several arrays, or an array and a "
            "number, which have no translation; use one array of integers"
        )
    y = t.value(0)
    axis = 0
    for part, twin in zip(parts, twins, strict=True):
        if part is None:
            y = t.add("Unsqueeze", y, t.constant([axis]))
            axis += 1
        elif isinstance(part, slice):
            if part != twin:
                t.refuse("a slice")
            if part != slice(None):
                start, stop = _ends(part)
                bounds = [t.constant([n]) for n in (start, stop, axis, part.step or 1)]
                y = t.add("Slice", y, *bounds)
            axis += 1
        else:
            y = t.add("Gather", y, t.operand(part, twin, np.dtype("int64")), axis=axis)
            axis += np.ndim(part)
    return y


def _parts(index, ndim):
    """The index with `...` spelled out: one part an axis, and None for each new one."""
    parts = index if isinstance(index, tuple) else (index,)
    ellipses = [i for i, part in enumerate(parts) if part is Ellipsis]
    place = ellipses[0] if ellipses else len(parts)
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    rest = (slice(None),) * (ndim - taken)
    return (*parts[:place], *rest, *parts[place + 1 :])


def _ends(part):
    """Where a slice starts and stops, None being spelled out."""
    far = 2**62
    first, last = (0, far) if (part.step or 1) > 0 else (far, -far)
    start = first if part.start is None else part.start
    stop = last if part.stop is None else part.stop
    return start, stop


def _scatter(t, x, index, shape):
    """Zeros around x, which is what np.pad makes of it."""
    is_padding = (
        isinstance(index, tuple)
        and len(index) == len(shape)
        and all(isinstance(part, slice) and part.step is None for part in index)
    )
    if not is_padding:
        raise TypeError(
            f"to_onnx: {t.layer()} writes into an array by an index, which has a translation "
            "only for the slices of np.pad"
        )
    widths, twin_widths = (_widths(node.inputs[1], node.inputs[2]) for node in (t.node, t.twin))
    if widths != twin_widths:
        t.refuse("the padding")
    return t.add("Pad", t.value(0), t.constant(widths))


def _widths(slices, shape):
    """How far each axis is padded before, then after."""
    before = [part.start for part in slices]
    after = [n - part.stop for part, n in zip(slices, shape, strict=True)]
    return before + after


# Layers ------------------------------------------------------------------------------------------


def _windows(stride, padding, dilation):
    return {"strides": pair(stride), "pads": pair(padding) * 2, "dilations": pair(dilation)}


def _conv2d(t, x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    return t.add("Conv", *t.values(), group=groups, **_windows(stride, padding, dilation))


def _conv_transpose2d(t, x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    options = _windows(stride, padding, dilation) | {"output_padding": pair(output_padding)}
    return t.add("ConvTranspose", *t.values(), group=groups, **options)


def _max_pool2d(t, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    options = _windows(kernel_size if stride is None else stride, padding, dilation)
    options |= {"kernel_shape": pair(kernel_size), "ceil_mode": int(ceil_mode)}
    return t.add("MaxPool", t.value(0), **options)


def _attention(t, query, key, value, bias=None, keep=None, scale=None):
    """softmax(scale Q Kᵀ + bias) V."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    axes = list(range(key.ndim))
    axes[-2:] = [key.ndim - 1, key.ndim - 2]
    transposed = t.add("Transpose", t.value(1), perm=axes)
    scaled = t.add("Mul", t.value(0), t.constant(scale, query.dtype))
    scores = t.add("MatMul", scaled, transposed)
    if bias is not None:
        scores = t.add("Add", scores, t.value(3))
    return t.add("MatMul", t.add("Softmax", scores, axis=-1), t.value(2))


# All of them: {operation: its translation} -------------------------------------------------------

TRANSLATIONS = {
    np.add: _same_in_onnx("Add"),
    np.subtract: _same_in_onnx("Sub"),
    np.multiply: _same_in_onnx("Mul"),
    np.divide: _same_in_onnx("Div"),
    np.power: _same_in_onnx("Pow"),
    np.maximum: _same_in_onnx("Max"),
    np.minimum: _same_in_onnx("Min"),
    np.negative: _same_in_onnx("Neg"),
    np.absolute: _same_in_onnx("Abs"),
    np.sqrt: _same_in_onnx("Sqrt"),
    np.exp: _same_in_onnx("Exp"),
    np.log: _same_in_onnx("Log"),
    np.sin: _same_in_onnx("Sin"),
    np.cos: _same_in_onnx("Cos"),
    np.tanh: _same_in_onnx("Tanh"),
    np.matmul: _same_in_onnx("MatMul"),
    np.copy: _same_in_onnx("Identity"),
    erf.__wrapped__: _same_in_onnx("Erf"),
    F.relu: _same_in_onnx("Relu"),
    F.sigmoid: _same_in_onnx("Sigmoid"),
    cast: lambda t, x, dtype: t.value(0),
    np.square: lambda t, x: t.add("Mul", t.value(0), t.value(0)),
    np.logaddexp: _logaddexp,
    np.where: lambda t, *inputs: t.add("Where", t.value(0, np.dtype(bool)), t.value(1), t.value(2)),
    np.sum: _reduction("ReduceSum"),
    np.max: _reduction("ReduceMax"),
    np.min: _reduction("ReduceMin"),
    np.reshape: _reshape,
    np.transpose: _transpose,
    np.broadcast_to: _broadcast_to,
    getitem: _getitem,
    scatter.__wrapped__: _scatter,
    join: lambda t, *arrays, axis=0: t.add("Concat", *t.values(), axis=axis),
    contract: _einsum,
    F.leaky_relu: lambda t, x, negative_slope=0.01: t.add(
        "LeakyRelu", t.value(0), alpha=negative_slope
    ),
    F.elu: lambda t, x, alpha=1.0: t.add("Elu", t.value(0), alpha=alpha),
    F.softplus: _softplus,
    F.logsigmoid: lambda t, x: t.add("Neg", t.add("Softplus", t.add("Neg", t.value(0)))),
    F.hardtanh: _hardtanh,
    F.prelu: _prelu,
    F.softmax: lambda t, x, axis=-1: t.add("Softmax", t.value(0), axis=axis),
    textbook_conv2d: _conv2d,
    textbook_conv_transpose2d: _conv_transpose2d,
    textbook_max_pool2d: _max_pool2d,
    textbook_attention: _attention,
    **RECURRENT,
}
