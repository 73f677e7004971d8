"""Convolution (strictly: cross-correlation), a linear layer that every patch of an image shares, and its adjoint. W: weight, b: bias."""

import numpy as np

from ..engine import custom_vjp
from .folding import pair, windows
from .rows import Rows, batch_last

__all__ = [
    "textbook_conv2d",
    "conv2d",
    "conv1d",
    "textbook_conv_transpose2d",
    "conv_transpose2d",
    "conv_transpose1d",
]


def textbook_conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """y[n,o,i,j] = b[o] + Σ_{c,k,l} W[o,c,k,l] x[n, c, s i + d k, s j + d l], x being padded with zeros.

    x: (N, C, H, W), W: (O, C/groups, K, L), b: (O,) → (N, O, H', W'), H' = (H + 2 padding - dilation (K - 1) - 1) // stride + 1.
    With groups, each group of output channels sees its own C/groups channels of x. Raises ValueError for shapes that do not fit.
    """
    parts = np.reshape(x, (x.shape[0], groups, -1, *x.shape[2:]))
    kernels = np.reshape(weight, (groups, -1, *weight.shape[1:]))
    y = np.einsum(
        "ngcijkl,gockl->ngoij", windows(parts, weight.shape[2:], stride, padding, dilation), kernels
    )
    y = np.reshape(y, (x.shape[0], weight.shape[0], *y.shape[3:]))
    return y if bias is None else y + np.reshape(bias, (1, -1, 1, 1))


def textbook_conv_transpose2d(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The adjoint of conv2d, plus b: pixel (p, q) adds its value times the kernel, y[n, o, s p + d k, s q + d l] += W[c,o,k,l] x[n,c,p,q],
    and `padding` is cut off. The same: conv2d, with W turned by 180°, of x with stride - 1 zeros between its pixels.

    x: (N, C, H, W), W: (C, O/groups, K, L), b: (O,) → (N, O, H', W'),
    H' = (H - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding.
    Raises ValueError for shapes that do not fit. Source: Zeiler et al., Deconvolutional networks, 2010.
    """
    (N, C, H, V), (sh, sw), (ph, pw), (eh, ew) = (
        x.shape,
        pair(stride),
        pair(padding),
        pair(output_padding),
    )
    fh, fw = (
        d * (k - 1) for d, k in zip(pair(dilation), weight.shape[2:], strict=True)
    )  # how far the kernel reaches
    x = np.pad(np.reshape(x, (N, C, H, 1, V, 1)), [(0, 0)] * 3 + [(0, sh - 1), (0, 0), (0, sw - 1)])
    x = np.reshape(x, (N, C, H * sh, V * sw))[:, :, : (H - 1) * sh + 1, : (V - 1) * sw + 1]
    x = np.pad(x, ((0, 0), (0, 0), (fh, fh + eh), (fw, fw + ew)))
    turned = np.swapaxes(np.reshape(weight, (groups, -1, *weight.shape[1:])), 1, 2)[..., ::-1, ::-1]
    y = textbook_conv2d(
        x,
        np.reshape(turned, (-1, C // groups, *weight.shape[2:])),
        bias,
        dilation=dilation,
        groups=groups,
    )
    return y[:, :, ph : y.shape[2] - ph, pw : y.shape[3] - pw]


# The fast twins --------------------------------------------------------------------------------------------------------


def _conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    _check("conv2d", x, weight, bias, groups, weight.shape[1] * groups, len(weight))
    rows = Rows(x.shape[2:], weight, stride, padding, dilation, groups)
    spread = rows.spread(x)
    return rows.down(spread, bias), (rows, spread)


def _conv_gradient(g, y, saved, needs, *inputs, **options):
    rows, spread = saved
    return _gradients(
        needs, lambda: rows.up(g), lambda: rows.weights(spread, g), lambda: _over_channels(g)
    )


def _gradients(needs, *rules):
    return [rule() if need else None for rule, need in zip(rules, needs, strict=False)] + [None] * (
        len(needs) - len(rules)
    )


def _over_channels(g):
    """Σ g over all axes but that of the channels."""
    return batch_last(g).reshape(g.shape[1], -1) @ np.ones(g.size // g.shape[1], g.dtype)


def _transpose(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    _check("conv_transpose2d", x, weight, bias, groups, len(weight), weight.shape[1] * groups)
    sizes = zip(
        x.shape[2:],
        weight.shape[2:],
        *map(pair, (stride, padding, output_padding, dilation)),
        strict=True,
    )
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1 + e if 0 <= e < max(s, d) else 0
        for n, k, s, p, e, d in sizes
    ]
    if min(size) < 1:
        raise ValueError(
            f"conv_transpose2d: no output from {x.shape}, padding {padding} and output_padding {output_padding}; "
            "want less padding, and output_padding below stride or dilation"
        )
    rows = Rows(tuple(size), weight, stride, padding, dilation, groups, x.shape[2:])
    y = rows.up(x)
    return y if bias is None else y + bias[:, None, None], rows


def _transpose_gradient(g, y, rows, needs, x, *inputs, **options):
    spread = rows.spread(g)
    return _gradients(
        needs, lambda: rows.down(spread), lambda: rows.weights(spread, x), lambda: _over_channels(g)
    )


def _check(name, x, W, b, groups, C, O, axes=("H", "W")):
    if (
        x.ndim != len(axes) + 2
        or W.ndim != x.ndim
        or x.shape[1] != C
        or groups < 1
        or len(W) % groups
    ):
        want = f"(N, {C}, {', '.join(axes)})"
        raise ValueError(
            f"{name}: input {x.shape}; want {want} for weight {W.shape}, its first axis divisible by groups={groups}"
        )
    if b is not None and b.shape != (O,):
        raise ValueError(f"{name}: bias {b.shape}; want ({O},), one number for each output channel")


conv2d = custom_vjp(textbook_conv2d, _conv, _conv_gradient)
conv_transpose2d = custom_vjp(textbook_conv_transpose2d, _transpose, _transpose_gradient)


# One dimension: images of one row -----------------------------------------------------------------------------------------


def _one_row(function, x, W, b, **options):
    inputs = (np.expand_dims(x, 2), np.expand_dims(W, 2), *([] if b is None else [b]))
    return np.squeeze(function(*inputs, **options), axis=2)


def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """y[n,o,i] = b[o] + Σ_{c,k} W[o,c,k] x[n, c, s i + d k], x being padded with zeros: conv2d of an image of one row.

    x: (N, C, L), W: (O, C/groups, K), b: (O,) → (N, O, L'), L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1.
    """
    _check("conv1d", x, weight, bias, groups, weight.shape[1] * groups, len(weight), ("L",))
    (s,), (p,), (d,) = map(np.atleast_1d, (stride, padding, dilation))
    return _one_row(
        conv2d, x, weight, bias, stride=(1, s), padding=(0, p), dilation=(1, d), groups=groups
    )


def conv_transpose1d(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The adjoint of conv1d, plus b: y[n, o, s p + d k - padding] += W[c,o,k] x[n,c,p].

    x: (N, C, L), W: (C, O/groups, K), b: (O,) → (N, O, L'), L' = (L - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding.
    """
    _check(
        "conv_transpose1d", x, weight, bias, groups, len(weight), weight.shape[1] * groups, ("L",)
    )
    (s,), (p,), (e,), (d,) = map(np.atleast_1d, (stride, padding, output_padding, dilation))
    options = {"stride": (1, s), "padding": (0, p), "output_padding": (0, e), "dilation": (1, d)}
    return _one_row(conv_transpose2d, x, weight, bias, groups=groups, **options)
