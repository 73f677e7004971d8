"""Convolution (strictly: cross-correlation), a linear layer that every patch of an image shares, and its adjoint."""

import math

import numpy as np

from ..engine import fused
from .folding import count, pair, places, windows

__all__ = ["textbook_conv2d", "conv2d", "conv1d", "textbook_conv_transpose2d", "conv_transpose2d", "conv_transpose1d"]


def textbook_conv2d(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    """y[n,o,i,j] = b[o] + Σ_{c,k,l} W[o,c,k,l] x[n, c, s i + d k, s j + d l], x being padded with zeros.

    x: (N, C, H, W), W: (O, C/groups, K, L), b: (O,) → (N, O, H', W'), H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1.
    With groups, each group of output channels sees its own C/groups channels of x. Raises ValueError for shapes that do not fit.
    """
    parts = np.reshape(x, (x.shape[0], groups, -1, *x.shape[2:]))
    kernels = np.reshape(W, (groups, -1, *W.shape[1:]))
    y = np.einsum("ngcijkl,gockl->ngoij", windows(parts, W.shape[2:], stride, padding, dilation), kernels)
    y = np.reshape(y, (x.shape[0], W.shape[0], *y.shape[3:]))
    return y if b is None else y + np.reshape(b, (1, -1, 1, 1))


def textbook_conv_transpose2d(x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of conv2d, plus b: pixel (p, q) adds its value times the kernel, y[n, o, s p + d k, s q + d l] += W[c,o,k,l] x[n,c,p,q],
    and `padding` is cut off. The same: conv2d, with W turned by 180°, of x with stride - 1 zeros between its pixels.

    x: (N, C, H, W), W: (C, O/groups, K, L), b: (O,) → (N, O, H', W'),
    H' = (H - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding.
    Raises ValueError for shapes that do not fit. Source: Zeiler et al., Deconvolutional networks, 2010.
    """
    (N, C, H, V), (sh, sw), (ph, pw), (eh, ew) = x.shape, pair(stride), pair(padding), pair(output_padding)
    fh, fw = (d * (k - 1) for d, k in zip(pair(dilation), W.shape[2:], strict=True))  # how far the kernel reaches
    x = np.pad(np.reshape(x, (N, C, H, 1, V, 1)), [(0, 0)] * 3 + [(0, sh - 1), (0, 0), (0, sw - 1)])
    x = np.reshape(x, (N, C, H * sh, V * sw))[:, :, : (H - 1) * sh + 1, : (V - 1) * sw + 1]
    x = np.pad(x, ((0, 0), (0, 0), (fh, fh + eh), (fw, fw + ew)))
    turned = np.swapaxes(np.reshape(W, (groups, -1, *W.shape[1:])), 1, 2)[..., ::-1, ::-1]
    y = textbook_conv2d(x, np.reshape(turned, (-1, C // groups, *W.shape[2:])), b, dilation=dilation, groups=groups)
    return y[:, :, ph : y.shape[2] - ph, pw : y.shape[3] - pw]


# The fast twins: all windows as the columns of one matrix. Batch innermost, (C, H, W, N): every copied run is then long. ---


def _columns(x, groups, out, kernel, stride, padding, dilation):
    """x: (N, C, H, W) → (groups, K L, C/groups, H', W', N) with (H', W') = out: each window a column."""
    (N, C, H, W), (ph, pw) = x.shape, pair(padding)
    image = np.zeros((groups, C // groups, H + 2 * ph, W + 2 * pw, N), x.dtype)
    image[:, :, ph : ph + H, pw : pw + W] = x.transpose(1, 2, 3, 0).reshape(groups, -1, H, W, N)
    columns = np.empty((groups, math.prod(kernel), C // groups, *out, N), x.dtype)
    for i, (rows, cols) in enumerate(places(out, kernel, stride, dilation)):
        columns[:, i] = image[:, :, rows, cols]
    return columns


def _image(columns, size, kernel, stride, padding, dilation):
    """The adjoint of _columns: each column is added back where it was read."""
    (H, W), (ph, pw), (G, _, C, *out, N) = size, pair(padding), columns.shape
    image = np.zeros((G, C, H + 2 * ph, W + 2 * pw, N), columns.dtype)
    for i, (rows, cols) in enumerate(places(out, kernel, stride, dilation)):
        image[:, :, rows, cols] += columns[:, i]
    return image[:, :, ph : ph + H, pw : pw + W].reshape(G * C, H, W, N).transpose(3, 0, 1, 2)


def _matrices(W, groups):
    """Weights (O, C, K, L) as one matrix a group: (groups, O/groups, K L C)."""
    return W.reshape(groups, -1, W.shape[1], W.shape[2] * W.shape[3]).swapaxes(2, 3).reshape(groups, len(W) // groups, -1)


def _rows(y, groups):
    """(N, O, H, W) → (groups, O/groups, H W N)."""
    return np.ascontiguousarray(y.transpose(1, 2, 3, 0)).reshape(groups, y.shape[1] // groups, -1)


def _weights(columns, rows, shape):
    """Σ rows × columns, the gradient of the weights, for both directions."""
    O, C, K, L = shape
    product = columns @ rows.swapaxes(1, 2)
    return product.reshape(len(rows), K * L, C, -1).transpose(0, 3, 2, 1).reshape(shape)


def _finish(needs, *gradients):
    return [*gradients, *[None] * len(needs)][: len(needs)]


def _conv(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    _check("conv2d", x, W, b, groups, W.shape[1] * groups, len(W))
    out = count(x.shape[2:], W.shape[2:], stride, padding, dilation)
    columns = _columns(x, groups, out, W.shape[2:], stride, padding, dilation)
    kernels = _matrices(W, groups)
    y = (kernels @ columns.reshape(groups, kernels.shape[2], -1)).reshape(len(W), -1)
    if b is not None:
        y += b[:, None]
    return y.reshape(len(W), *columns.shape[3:]).transpose(3, 0, 1, 2), columns


def _conv_gradient(g, y, columns, needs, x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    g, dx, dW = _rows(g, groups), None, None
    if needs[0]:
        dx = (_matrices(W, groups).swapaxes(1, 2) @ g).reshape(columns.shape)
        dx = _image(dx, x.shape[2:], W.shape[2:], stride, padding, dilation)
    if needs[1]:
        dW = _weights(columns.reshape(groups, -1, g.shape[2]), g, W.shape)
    return _finish(needs, dx, dW, g.sum(axis=2).ravel() if len(needs) > 2 and needs[2] else None)


def _transpose(x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    O = W.shape[1] * groups
    _check("conv_transpose2d", x, W, b, groups, len(W), O)
    sizes = zip(x.shape[2:], W.shape[2:], *map(pair, (stride, padding, output_padding, dilation)), strict=True)
    size = [(n - 1) * s - 2 * p + d * (k - 1) + 1 + e if 0 <= e < max(s, d) else 0 for n, k, s, p, e, d in sizes]
    if min(size) < 1:
        raise ValueError(f"conv_transpose2d: no output from {x.shape}, padding {padding} and output_padding {output_padding}; "
                         "want less padding, and output_padding below stride or dilation")  # fmt: skip
    count(size, W.shape[2:], stride, padding, dilation)  # raises for options out of range
    columns = (_matrices(W, groups).swapaxes(1, 2) @ _rows(x, groups)).reshape(groups, -1, W.shape[1], *x.shape[2:], len(x))
    y = _image(columns, size, W.shape[2:], stride, padding, dilation)
    return y if b is None else y + b[:, None, None], None


def _transpose_gradient(g, y, saved, needs, x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    columns = _columns(g, groups, x.shape[2:], W.shape[2:], stride, padding, dilation)
    columns = columns.reshape(groups, -1, x.size // x.shape[1])
    dx = (_matrices(W, groups) @ columns).reshape(x.shape[1:] + x.shape[:1]).transpose(3, 0, 1, 2) if needs[0] else None
    dW = _weights(columns, _rows(x, groups), W.shape) if needs[1] else None
    return _finish(needs, dx, dW, g.sum(axis=(0, 2, 3)) if len(needs) > 2 and needs[2] else None)


def _check(name, x, W, b, groups, C, O, axes=("H", "W")):
    if x.ndim != len(axes) + 2 or W.ndim != x.ndim or x.shape[1] != C or groups < 1 or len(W) % groups:
        want = f"(N, {C}, {', '.join(axes)})"
        raise ValueError(f"{name}: input {x.shape}; want {want} for weight {W.shape}, its first axis divisible by groups={groups}")
    if b is not None and b.shape != (O,):
        raise ValueError(f"{name}: bias {b.shape}; want ({O},), one number for each output channel")


conv2d = fused(textbook_conv2d, _conv, _conv_gradient)
conv_transpose2d = fused(textbook_conv_transpose2d, _transpose, _transpose_gradient)


# One dimension: images of one row -----------------------------------------------------------------------------------------


def _one_row(function, x, W, b, **options):
    inputs = (np.expand_dims(x, 2), np.expand_dims(W, 2), *([] if b is None else [b]))
    return np.squeeze(function(*inputs, **options), axis=2)


def conv1d(x, W, b=None, stride=1, padding=0, dilation=1, groups=1):
    """y[n,o,i] = b[o] + Σ_{c,k} W[o,c,k] x[n, c, s i + d k], x being padded with zeros: conv2d of an image of one row.

    x: (N, C, L), W: (O, C/groups, K), b: (O,) → (N, O, L'), L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1.
    """
    _check("conv1d", x, W, b, groups, W.shape[1] * groups, len(W), ("L",))
    (s,), (p,), (d,) = map(np.atleast_1d, (stride, padding, dilation))
    return _one_row(conv2d, x, W, b, stride=(1, s), padding=(0, p), dilation=(1, d), groups=groups)


def conv_transpose1d(x, W, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The adjoint of conv1d, plus b: y[n, o, s p + d k - padding] += W[c,o,k] x[n,c,p].

    x: (N, C, L), W: (C, O/groups, K), b: (O,) → (N, O, L'), L' = (L - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding.
    """
    _check("conv_transpose1d", x, W, b, groups, len(W), W.shape[1] * groups, ("L",))
    (s,), (p,), (e,), (d,) = map(np.atleast_1d, (stride, padding, output_padding, dilation))
    options = {"stride": (1, s), "padding": (0, p), "output_padding": (0, e), "dilation": (1, d)}
    return _one_row(conv_transpose2d, x, W, b, groups=groups, **options)
