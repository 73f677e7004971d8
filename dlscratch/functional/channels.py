"""Each channel normalized, scaled and shifted in one operation, as batch normalization does while training; or scaled and shifted."""

import math

import numpy as np

from ..engine import custom_vjp

__all__ = [
    "textbook_normalized_channels",
    "normalized_channels",
    "textbook_scaled_channels",
    "scaled_channels",
]


def textbook_scaled_channels(x, weight=None, bias=None):
    """y = x · weight + bias, one number for each channel.  x: (N, C, ...), weight, bias: (C,) or None."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    y = x if weight is None else x * np.reshape(weight, shape)
    return y if bias is None else y + np.reshape(bias, shape)


def textbook_normalized_channels(x, weight=None, bias=None, eps=1e-5, moved=None):
    """y = (x - mean) / √(var + eps) · weight + bias for each channel, var being biased.  x: (N, C, ...), weight, bias: (C,) or None.

    moved = (mean, var, momentum) are moved in place, by r ← (1 - momentum) r + momentum · batch, the variance unbiased;
    here they are not: this definition runs for second derivatives, when the fast one has moved them already.
    """
    axes = (0, *range(2, x.ndim))
    y = (x - np.mean(x, axis=axes, keepdims=True)) / np.sqrt(
        np.var(x, axis=axes, keepdims=True) + eps
    )
    return textbook_scaled_channels(y, weight, bias)


# The fast twins see x as (A, C, M) in the order that it has in memory: (N, C, places), or (1, C, places and N) after a convolution.


def _channels(x, batch_last):
    x = x.transpose(*range(1, x.ndim), 0)[None] if batch_last else x
    return np.ascontiguousarray(x).reshape(*x.shape[:2], -1)


def _as_before(y, shape, batch_last):
    return (
        y.reshape(*shape[1:], shape[0]).transpose(-1, *range(len(shape) - 1))
        if batch_last
        else y.reshape(shape)
    )


def _sum(x):
    """Σ x for each channel, by BLAS: 3 to 5 times as fast as x.sum(axis=(0, 2))."""
    x = x[..., 0] if x.shape[2] == 1 else x @ np.ones(x.shape[2], x.dtype)
    return np.ones(len(x), x.dtype) @ x


def _dot(x, y):
    """Σ x y for each channel, without an array of products in between."""
    return np.einsum("acm,acm->c", x, y) if x.shape[2] == 1 else np.vecdot(x, y).sum(axis=0)


def _forward(x, weight=None, bias=None, eps=1e-5, moved=None):
    batch_last, n = not x.flags.c_contiguous, math.prod(x.shape) // x.shape[1]
    y = _channels(x, batch_last)
    mean = _sum(y) / n
    centred = y - mean[:, None]
    var = _dot(centred, centred) / n
    if moved is not None:
        running_mean, running_var, momentum = moved
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (var * (n / (n - 1)) - running_var)
    scale = 1 / np.sqrt(var + eps)
    y = centred * (scale if weight is None else scale * weight)[:, None]
    if bias is not None:
        y += bias[:, None]
    return _as_before(y, x.shape, batch_last), (centred, scale, batch_last)


def _backward(g, y, saved, needs, x, weight=None, bias=None, **options):
    """With x̂ = (x - mean) · scale: dx = scale · weight · (g - mean(g) - x̂ · mean(g x̂)), in four passes."""
    (centred, scale, batch_last), n = saved, y.size // y.shape[1]
    g = _channels(g, batch_last)
    shift, slope, dx = _sum(g), _dot(g, centred) * scale, None
    if needs[0]:
        dx = centred * (scale * slope / -n)[:, None]
        dx += g
        dx -= (shift / n)[:, None]
        dx *= (scale if weight is None else scale * weight)[:, None]
        dx = _as_before(dx, x.shape, batch_last)
    return [dx, slope, shift][: len(needs)]


normalized_channels = custom_vjp(textbook_normalized_channels, _forward, _backward)


def _scale(x, weight=None, bias=None):
    batch_last = not x.flags.c_contiguous
    y = _channels(x, batch_last)
    y = y.copy() if weight is None else y * weight[:, None]
    if bias is not None:
        y += bias[:, None]
    return _as_before(y, x.shape, batch_last), batch_last


def _scale_backward(g, y, batch_last, needs, x, weight=None, bias=None):
    g, needs = _channels(g, batch_last), (*needs, False, False)
    dx = g if weight is None else g * weight[:, None]
    slope = _dot(g, _channels(x, batch_last)) if needs[1] else None
    return [_as_before(dx, x.shape, batch_last), slope, _sum(g) if needs[2] else None]


scaled_channels = custom_vjp(textbook_scaled_channels, _scale, _scale_backward)
