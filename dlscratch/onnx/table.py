"""Each operation in the words of ONNX, opset 18: `t` is the trace, the other arguments are those of the operation itself."""

import numpy as np

from .. import functional as F
from ..engine.rules.elementwise import cast
from ..engine.rules.indexing import scatter
from ..engine.rules.products import contract
from ..engine.rules.shapes import join
from ..engine.tensor import getitem
from ..functional.activations import erf
from ..functional.attention import textbook_attention
from ..functional.convolution import textbook_conv2d, textbook_conv_transpose2d
from ..functional.folding import pair
from ..functional.pooling import textbook_max_pool2d

__all__ = ["TABLE"]


def _plain(kind):
    """An operation that is the same in ONNX: all arguments are numbers of the result's dtype."""
    return lambda t, *inputs: t.add(kind, *t.values())


def _reduction(kind):
    def entry(t, x, axis=None, keepdims=False):
        return t.add(
            kind,
            t.value(0),
            t.constant(range(x.ndim) if axis is None else np.atleast_1d(axis)),
            keepdims=int(keepdims),
        )

    return entry


def _reshape(t, x, shape):
    size = [m if m == n else -1 for m, n in zip(t.a.shape, t.b.shape)]
    return (
        t.add("Reshape", t.value(0), t.constant(size))
        if size.count(-1) < 2
        else t.refuse("more than one axis")
    )


def _broadcast(t, x, shape):
    if any(m != n and not t.batch(m, n) for m, n in zip(t.a.shape, t.b.shape)):
        t.refuse("the shape")
    sizes = [
        t.add("Shape", "x", start=0, end=1) if t.batch(m, n) else t.constant([m])
        for m, n in zip(t.a.shape, t.b.shape)
    ]
    return t.add("Expand", t.value(0), t.add("Concat", *sizes, axis=0))


def _transpose(t, x, axes=None):
    order = np.arange(x.ndim)
    return t.add("Transpose", t.value(0), perm=order[::-1] if axes is None else order[list(axes)])


def _parts(index, ndim):
    """The index with `...` spelled out: one part an axis, and None for each new one."""
    parts = index if isinstance(index, tuple) else (index,)
    place = next((i for i, p in enumerate(parts) if p is Ellipsis), len(parts))
    rest = (slice(None),) * (ndim - sum(p is not None and p is not Ellipsis for p in parts))
    return (*parts[:place], *rest, *parts[place + 1 :])


def _getitem(t, x, index):
    parts, y, axis = _parts(index, x.ndim), t.value(0), 0
    advanced = [
        p for p in parts if p is not None and not isinstance(p, slice)
    ]  # NumPy has rules of its own for several of these
    if any(np.ndim(p) for p in advanced) and (len(advanced) > 1 or advanced[0].dtype == bool):
        raise TypeError(
            "to_onnx: an index by a mask, several arrays, or an array and a number has no entry; use one array of integers"
        )
    for part, twin in zip(parts, _parts(t.b.inputs[1], x.ndim), strict=True):
        if part is None:
            y = t.add("Unsqueeze", y, t.constant([axis]))
        elif not isinstance(part, slice):
            y, axis = (
                t.add("Gather", y, t.operand(part, twin, np.dtype("int64")), axis=axis),
                axis + np.ndim(part) - 1,
            )
        elif part != twin:
            t.refuse("a slice")
        elif part != slice(None):
            y = t.add("Slice", y, *(t.constant([n]) for n in (*_ends(part), axis, part.step or 1)))
        axis += 1
    return y


def _ends(part):
    """Where a slice starts and stops, None being spelled out."""
    first, last = (0, 2**62) if (part.step or 1) > 0 else (2**62, -(2**62))
    return first if part.start is None else part.start, last if part.stop is None else part.stop


def _scatter(t, x, index, shape):
    """Zeros around x, which is what np.pad makes of it."""
    if not (
        isinstance(index, tuple)
        and len(index) == len(shape)
        and all(isinstance(p, slice) and p.step is None for p in index)
    ):
        raise TypeError("to_onnx: scatter has an entry only for the slices of np.pad")
    widths = [
        [*(p.start for p in at), *(n - p.stop for p, n in zip(at, size))]
        for _, at, size in (t.a.inputs, t.b.inputs)
    ]
    return (
        t.add("Pad", t.value(0), t.constant(widths[0]))
        if widths[0] == widths[1]
        else t.refuse("the padding")
    )


def _windows(stride, padding, dilation):
    return {"strides": pair(stride), "pads": pair(padding) * 2, "dilations": pair(dilation)}


def _conv(t, x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    return t.add("Conv", *t.values(), group=groups, **_windows(stride, padding, dilation))


def _conv_transpose(t, x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    options = _windows(stride, padding, dilation)
    return t.add(
        "ConvTranspose", *t.values(), group=groups, output_padding=pair(output_padding), **options
    )


def _max_pool(t, x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    options = _windows(kernel_size if stride is None else stride, padding, dilation)
    return t.add(
        "MaxPool", t.value(0), kernel_shape=pair(kernel_size), ceil_mode=int(ceil_mode), **options
    )


def _attention(t, query, key, value, bias=None, keep=None, scale=None):
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    turned = t.add("Transpose", t.value(1), perm=[*range(key.ndim - 2), key.ndim - 1, key.ndim - 2])
    scores = t.add("MatMul", t.add("Mul", t.value(0), t.constant(scale, query.dtype)), turned)
    scores = scores if bias is None else t.add("Add", scores, t.value(3))
    return t.add("MatMul", t.add("Softmax", scores, axis=-1), t.value(2))


TABLE = {
    np.add: _plain("Add"),
    np.subtract: _plain("Sub"),
    np.multiply: _plain("Mul"),
    np.divide: _plain("Div"),
    np.power: _plain("Pow"),
    np.maximum: _plain("Max"),
    np.minimum: _plain("Min"),
    np.negative: _plain("Neg"),
    np.absolute: _plain("Abs"),
    np.sqrt: _plain("Sqrt"),
    np.exp: _plain("Exp"),
    np.log: _plain("Log"),
    np.sin: _plain("Sin"),
    np.cos: _plain("Cos"),
    np.tanh: _plain("Tanh"),
    np.matmul: _plain("MatMul"),
    np.copy: _plain("Identity"),
    cast: lambda t, x, dtype: t.value(0),
    np.square: lambda t, x: t.add("Mul", t.value(0), t.value(0)),
    np.logaddexp: lambda t, a, b: t.add(
        "Add", t.value(1), t.add("Softplus", t.add("Sub", *t.values()))
    ),
    np.where: lambda t, *inputs: t.add("Where", t.value(0, np.dtype(bool)), t.value(1), t.value(2)),
    np.sum: _reduction("ReduceSum"),
    np.max: _reduction("ReduceMax"),
    np.min: _reduction("ReduceMin"),
    np.reshape: _reshape,
    np.transpose: _transpose,
    np.broadcast_to: _broadcast,
    getitem: _getitem,
    scatter.__wrapped__: _scatter,
    join: lambda t, *arrays, axis=0: t.add("Concat", *t.values(), axis=axis),
    contract: lambda t, subscripts, *operands: t.add(
        "Einsum", *(t.value(i + 1) for i in range(len(operands))), equation=subscripts
    ),
    erf.__wrapped__: _plain("Erf"),
    F.relu: _plain("Relu"),
    F.sigmoid: _plain("Sigmoid"),
    F.leaky_relu: lambda t, x, negative_slope=0.01: t.add(
        "LeakyRelu", t.value(0), alpha=negative_slope
    ),
    F.softmax: lambda t, x, axis=-1: t.add("Softmax", t.value(0), axis=axis),
    textbook_conv2d: _conv,
    textbook_conv_transpose2d: _conv_transpose,
    textbook_max_pool2d: _max_pool,
    textbook_attention: _attention,
}
